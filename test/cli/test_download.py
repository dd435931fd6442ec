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

from monodepth_ros.cli.main import main
from monodepth_ros.downloads.catalogue import user_catalogue
from monodepth_ros.downloads.checkpoint_cache import checkpoints_folder
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
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
    site("official", "official.zip", zipped(w__encoder_pth=b"1", w__depth_pth=b"2", w__pose_pth=b"3"))
    assert main(["download", "official", "--accept-license"]) == 0
    folder = checkpoints_folder() / "official"
    assert sorted(os.listdir(folder)) == ["depth.pth", "encoder.pth", "pose.pth", "source.json"]
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
        (b"PK", {}, "not a valid zip"),
        (b"x" * 9000, {"bytes": 100}, "at most 100"),
    ],
    ids=["hash", "no_weights", "two_weights", "cut", "too_long"],
)
def test_a_download_that_is_not_a_checkpoint_is_refused_and_removed(site, capsys, content, facts, words):
    site("bad", "bad.zip", content, **facts)
    assert main(["download", "bad", "--accept-license"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and words in error, error
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
