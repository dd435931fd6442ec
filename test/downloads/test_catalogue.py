# SPDX-License-Identifier: Apache-2.0
"""The catalogue of checkpoints, and how a name becomes a path."""

import json

import pytest

from monodepth_ros.downloads.catalogue import (
    CatalogueError,
    checkpoints_folder,
    parse_catalogue,
    read_catalogue,
    resolve_name,
    user_catalogue,
)
from monodepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoint_header import CheckpointError, CheckpointHeader
from monodepth_ros.networks.registry import build_depth

OWN = """
checkpoints:
  garden:
    url: https://example.org/{name}.safetensors
    sha256: "%s"
    bytes: 1234
    licence: CC-BY-4.0
""" % ("ab" * 32)


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def write_own(text):
    user_catalogue().parent.mkdir(parents=True, exist_ok=True)
    user_catalogue().write_text(text)


def make_checkpoint(path, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = CheckpointHeader("rt_monodepth_s", height, 64, training_camera=(0.5, 0.7, 0.5, 0.5))
    save_checkpoint(path, header, build_depth("rt_monodepth_s"))


def put_in_cache(name, height):
    folder = checkpoints_folder() / name
    make_checkpoint(folder / "weights.safetensors", height)
    (folder / "source.json").write_text(json.dumps({"load": "weights.safetensors"}))


def test_the_official_sets_have_their_address_hash_and_licence():
    catalogue = read_catalogue()
    entry = catalogue["mono+stereo_640x192"]
    folder = "https://storage.googleapis.com/niantic-lon-static/research/monodepth2"
    assert entry.url == f"{folder}/mono%2Bstereo_640x192.zip"
    assert (entry.hash_name, entry.digest) == ("md5", "c024d69012485ed05d7eaa9617a96b81")
    assert "non-commercial" in entry.licence and entry.size_text == "about 100 MB"
    assert len({e.digest for e in catalogue.values() if e.digest}) == 9
    assert not catalogue["mono_odom_640x192"].digest


def test_the_users_own_file_adds_entries_and_wins():
    write_own(OWN + "  mono_640x192: {url: 'http://localhost/x.zip'}\n")
    catalogue = read_catalogue()
    assert catalogue["garden"].url == "https://example.org/garden.safetensors"
    assert catalogue["garden"].size == 1234 and catalogue["mono_640x192"].url == "http://localhost/x.zip"
    assert "stereo_640x192" in catalogue


@pytest.mark.parametrize(
    "text, words",
    [
        ("checkpoints: [", "not YAML"),
        ("entries: {}", "no 'checkpoints:'"),
        ("checkpoints: {../evil: {url: 'http://a/b.zip'}}", "letters, digits"),
        ("checkpoints: {a: {url: 'file:///etc/b.zip'}}", "expected http"),
        ("checkpoints: {a: {url: 'http://a/b.exe'}}", "expected http"),
        ("checkpoints: {a: {url: 'http://a/b.zip', md5: abc}}", "32 hexadecimal digits"),
        ("checkpoints: {a: {url: 'http://a/b.zip', shasum: abc}}", "unknown key 'shasum'"),
        ("checkpoints: {a: {url: 'http://a/b.zip', bytes: -1}}", "bytes is -1"),
        ("checkpoints: {a: {group: none}}", "no group 'none'"),
        ("checkpoints: {a: 3}", "expected url"),
    ],
)
def test_a_wrong_catalogue_is_one_line_that_says_where(text, words):
    with pytest.raises(CatalogueError, match=words) as error:
        parse_catalogue(text, "own.yaml")
    assert "own.yaml" in str(error.value) and "\n" not in str(error.value)


def test_a_name_finds_the_downloaded_checkpoint():
    put_in_cache("garden", 96)
    assert load_checkpoint("garden").header.height == 96


def test_an_existing_path_wins_over_a_name(tmp_path):
    put_in_cache("garden.safetensors", 96)
    make_checkpoint(tmp_path / "garden.safetensors", 128)
    assert load_checkpoint("garden.safetensors").header.height == 128
    (tmp_path / "garden.safetensors").unlink()
    assert load_checkpoint("garden.safetensors").header.height == 96


def test_a_name_that_is_not_downloaded_says_the_command():
    with pytest.raises(CatalogueError, match="run monodepth download mono_640x192$"):
        load_checkpoint("mono_640x192")


def test_what_is_neither_path_nor_name_is_said_to_be_so():
    with pytest.raises(CheckpointError, match="no such file or folder.*a name of `monodepth download"):
        load_checkpoint("garden")
    assert resolve_name("../garden") is None and resolve_name("/garden") is None


def test_a_half_made_cache_folder_counts_for_nothing():
    (checkpoints_folder() / "garden").mkdir(parents=True)
    (checkpoints_folder() / "garden/source.json").write_text('{"load": "weights.safetensors"}')
    assert resolve_name("garden") is None
