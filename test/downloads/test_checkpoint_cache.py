# SPDX-License-Identifier: Apache-2.0
"""Downloaded checkpoints by name."""

import json
import os

import pytest

from monodepth_ros.downloads.catalogue import CatalogueError
from monodepth_ros.downloads.checkpoint_cache import checkpoints_folder, downloaded_checkpoint, resolve_name
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointError, CheckpointHeader
from monodepth_ros.networks.registry import build_depth


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def make_checkpoint(path, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = CheckpointHeader("rt_monodepth_s", height, 64, training_camera=(0.5, 0.7, 0.5, 0.5))
    save_checkpoint(path, header, build_depth("rt_monodepth_s"))


def put_in_cache(name, height):
    folder = checkpoints_folder() / name
    make_checkpoint(folder / "weights.safetensors", height)
    (folder / "source.json").write_text(json.dumps({"load": "weights.safetensors"}))


def test_a_name_finds_the_downloaded_checkpoint():
    put_in_cache("garden", 96)
    assert load_checkpoint("garden").header.height == 96


def test_an_existing_path_wins_over_a_name(tmp_path):
    put_in_cache("garden.safetensors", 96)
    make_checkpoint(tmp_path / "garden.safetensors", 128)
    assert load_checkpoint("garden.safetensors").header.height == 128
    (tmp_path / "garden.safetensors").unlink()
    assert load_checkpoint("garden.safetensors").header.height == 96


def test_the_error_for_a_checkpoint_that_is_not_downloaded_states_the_command():
    with pytest.raises(CatalogueError, match="run monodepth download mono_640x192$"):
        load_checkpoint("mono_640x192")


def test_a_text_that_is_neither_path_nor_name_is_refused():
    with pytest.raises(CheckpointError, match="no such file or folder.*a name of `monodepth download"):
        load_checkpoint("garden")
    assert resolve_name("../garden") is None and resolve_name("/garden") is None


def test_an_incomplete_folder_in_the_cache_is_ignored():
    (checkpoints_folder() / "garden").mkdir(parents=True)
    (checkpoints_folder() / "garden/source.json").write_text('{"load": "weights.safetensors"}')
    assert resolve_name("garden") is None


PLACES = (
    *("/etc/passwd", "../outside", "a/../../outside", "..\\outside", "link", "C:x", "a\0b", "", "~"),
    *(3, None, [1], {"a": 1}, "x" * 5000),
)


@pytest.mark.parametrize(
    "record",
    [
        *(json.dumps({"load": place}) for place in PLACES),
        *("", "[]", "3", "{", '{"load"', "[" * 5000, "\xff", '{"load": "inside"', '{"other": "inside"}'),
    ],
)
def test_a_record_that_names_anything_outside_its_folder_is_as_none(tmp_path, record):
    folder = checkpoints_folder() / "garden"
    folder.mkdir(parents=True)
    for place in (folder / "inside", folder.parent / "outside"):
        place.write_text("x")
    (folder / "link").symlink_to("../outside")
    (folder / "source.json").write_text(record, encoding="latin-1")
    assert downloaded_checkpoint("garden") is None


def test_a_record_that_is_a_link_pipe_or_too_large_is_as_none():
    folder = checkpoints_folder() / "garden"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "source.json")
    assert downloaded_checkpoint("garden") is None
    (folder / "source.json").unlink()
    with open(folder / "source.json", "wb") as file:
        file.truncate(10_000_000)
    assert downloaded_checkpoint("garden") is None


def test_a_checkpoint_folder_may_be_a_link_to_another_disk(tmp_path):
    put_in_cache("garden", 96)
    (checkpoints_folder() / "garden").rename(tmp_path / "disk")
    (checkpoints_folder() / "garden").symlink_to(tmp_path / "disk")
    assert load_checkpoint("garden").header.height == 96


ODD_PATHS = ("a" * 300, "a/" * 3000, "\udce9", "a\nb", "a\0b", "~nobody/x", "\x1b[2J", "/dev/zero", "pipe")


@pytest.mark.parametrize("path", ODD_PATHS, ids=range(len(ODD_PATHS)))
def test_a_path_of_any_form_is_refused_on_one_line(tmp_path, path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path)
    assert str(error.value).isprintable() and len(str(error.value)) < 600
