# SPDX-License-Identifier: Apache-2.0
"""`monodepth download` against a server on this machine."""

import hashlib
import http.server
import io
import json
import os
import threading
import zipfile

import pytest
import torch
from safetensors.torch import save as format_safetensors

from monodepth_ros.cli.main import main
from monodepth_ros.downloads.catalogue import user_catalogue
from monodepth_ros.downloads.checkpoint_cache import checkpoints_folder
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.checkpoints.monodepth2_format import published_parts
from monodepth_ros.networks.registry import build_depth


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on a local server; `offer` puts a file there and into the user's catalogue."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def handler(*arguments):
        return Quiet(*arguments, directory=folder)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        entries = {}

        def offer(name, file_name, content, **facts):
            (folder / file_name).write_bytes(content)
            url = f"http://127.0.0.1:{server.server_port}/{file_name}"
            digest = hashlib.sha256(content).hexdigest()
            entries[name] = {"url": url, "sha256": digest, "licence": "CC0", **facts}
            user_catalogue().parent.mkdir(parents=True, exist_ok=True)
            user_catalogue().write_text(json.dumps({"checkpoints": entries}))  # JSON is YAML

        yield offer
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    header = CheckpointHeader("rt_monodepth_s", 96, 320, training_camera=(0.58, 1.92, 0.5, 0.5))
    save_checkpoint(path, header, build_depth("rt_monodepth_s"))
    return path.read_bytes()


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_pth", ".pth"), content)
    return data.getvalue()


def published_weights():
    """The files of weights in monodepth2's format, by the names that `zipped` takes. Each tensor stores one number."""
    with torch.device("meta"):
        parts = published_parts(build_depth("rt_monodepth_s"), None)
    members = {}
    for part, module in parts.items():
        content = {key: torch.zeros((), dtype=t.dtype).expand(t.shape) for key, t in module.state_dict().items()}
        content |= {"height": 64, "width": 96, "use_stereo": False} if part == "encoder" else {}
        data = io.BytesIO()
        torch.save(content, data)
        members[f"w__{part}_pth"] = data.getvalue()
    return members


def test_a_checkpoint_is_downloaded_once_and_found_by_its_name(site, weights, capsys):
    site("garden", "garden.safetensors", weights, bytes=len(weights))
    assert main(["download", "garden", "--accept-license"]) == 0
    out = capsys.readouterr().out
    for shown in ("garden.safetensors", "sha256", "CC0", f"{len(weights) / 1e6:.1f} MB"):
        assert shown in out, out
    assert load_checkpoint("garden").header.width == 320
    assert main(["info", "garden"]) == 0
    capsys.readouterr()
    assert main(["download", "garden"]) == 0, "what is here needs no consent"
    assert "here already" in capsys.readouterr().out
    left = sorted(os.listdir(checkpoints_folder()))
    assert left == [".downloads", "garden"] and not os.listdir(checkpoints_folder() / ".downloads")


def test_an_archive_of_weights_is_unpacked_into_a_folder(site, capsys):
    site("official", "official.zip", zipped(**published_weights()))
    assert main(["download", "official", "--accept-license"]) == 0
    folder = checkpoints_folder() / "official"
    assert sorted(os.listdir(folder)) == ["depth.pth", "encoder.pth", "source.json"]
    record = json.loads((folder / "source.json").read_text())
    assert record["url"].endswith("/official.zip")
    assert record["licence"] == "CC0" and len(record["sha256"]) == 64


def test_without_consent_nothing_is_downloaded(site, weights, capsys):
    site("garden", "garden.safetensors", weights)
    assert main(["download", "garden"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "--accept-license" in error
    assert not checkpoints_folder().exists()


@pytest.mark.parametrize("answer, code", [("y\n", 0), ("yes\n", 0), ("\n", 2), ("no\n", 2), ("", 2)])
def test_on_a_terminal_consent_is_asked_for(site, weights, capsys, monkeypatch, answer, code):
    site("garden", "garden.safetensors", weights)
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(["download", "garden"]) == code
    assert checkpoints_folder().exists() == (code == 0)


@pytest.mark.parametrize(
    "content, facts, words",
    [
        (b"other", {"sha256": "0" * 64}, "refused and removed"),
        (zipped(readme=b"1"), {}, "no single checkpoint, but readme"),
        (zipped(a_pth=b"1", b_pth=b"1"), {}, "no single checkpoint"),
        (zipped(a_pth=b"1"), {}, "it is no checkpoint: not a PyTorch weight file"),
        (zipped(w__encoder_pth=b"1", w__depth_pth=b"2"), {}, "it is no checkpoint: encoder.pth: not a PyTorch"),
        (b"<!DOCTYPE html><title>Log in</title>", {}, "not a whole .zip file, but a web page; does the address ask"),
        (b"", {}, "the file is empty"),
        (b"PK", {}, "a zip archive that is damaged"),
        (b"x" * 9000, {"bytes": 100}, "at most 100"),
    ],
    ids=["hash", "no_weights", "two_weights", "damaged", "cut_weights", "page", "empty", "cut_archive", "too_long"],
)
def test_a_download_that_is_not_a_checkpoint_is_refused_and_removed(site, capsys, content, facts, words):
    site("bad", "bad.zip", content, **facts)
    assert main(["download", "bad", "--accept-license"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and words in error and "unpacking" not in error, error
    left = [path for path in checkpoints_folder().rglob("*") if path.is_file()]
    assert left == [], left


def test_an_unknown_name_lists_the_catalogue(site, capsys):
    assert main(["download", "nothing"]) == 2
    assert "mono_640x192" in capsys.readouterr().err


def test_the_list_shows_names_licences_and_downloads(site, weights, capsys):
    site("garden", "garden.safetensors", weights)
    main(["download", "garden", "--accept-license"])
    capsys.readouterr()
    assert main(["download", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    garden = next(line for line in lines if line.startswith("garden "))
    assert "downloaded" in garden
    mono = next(line for line in lines if line.startswith("mono_640x192 "))
    assert "about 100 MB" in mono and "relative" in mono
    assert any("non-commercial" in line for line in lines)
    assert lines[0].startswith("demonstration ") and "bundled" in lines[0] and "synthetic streets" in lines[0], lines


def test_the_bundled_checkpoint_needs_no_download(capsys):
    assert main(["download", "demonstration"]) == 0
    assert "nothing to download" in capsys.readouterr().out


def test_weights_of_another_program_are_refused(site, capsys):
    tensors = {"a": torch.zeros(3)}
    site("foreign", "foreign.safetensors", format_safetensors(tensors))
    assert main(["download", "foreign", "--accept-license"]) == 2
    assert "it is no checkpoint: written by another program" in capsys.readouterr().err
    assert not (checkpoints_folder() / "foreign").exists()


@pytest.mark.parametrize("in_the_way", ["file", "link", "folder"])
def test_what_lies_where_the_checkpoint_belongs_is_replaced(site, weights, tmp_path, in_the_way):
    site("garden", "garden.safetensors", weights)
    place, elsewhere = checkpoints_folder() / "garden", tmp_path / "elsewhere"
    place.parent.mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    if in_the_way == "file":
        place.write_text("x")
    elif in_the_way == "link":
        place.symlink_to(elsewhere)
    else:
        place.mkdir()
        (place / "source.json").write_text(json.dumps({"load": str(elsewhere / "mine")}))
    assert main(["download", "garden", "--accept-license"]) == 0
    assert load_checkpoint("garden").path.parent.resolve() == place.resolve() and not place.is_symlink()
    assert (elsewhere / "mine").read_text() == "mine"


def test_the_texts_of_a_catalogue_reach_the_terminal_on_one_line_and_without_control_characters(site, weights, capsys):
    site("garden", "garden.safetensors", weights, description="a\x1b[2Jb\nc", licence="x" * 5000)
    assert main(["download", "--list"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "a?[2Jb c" in out and max(map(len, out.splitlines())) < 400


def test_a_cache_that_cannot_be_written_is_named_in_one_line(site, weights, tmp_path, monkeypatch, capsys):
    site("garden", "garden.safetensors", weights)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert main(["download", "garden", "--accept-license"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "cannot be written (Not a directory)" in error and "XDG_CACHE_HOME" in error
