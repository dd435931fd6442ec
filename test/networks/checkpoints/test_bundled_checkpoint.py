# SPDX-License-Identifier: Apache-2.0
"""The bundled checkpoint, by its name."""

import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointError, CheckpointHeader
from monodepth_ros.networks.registry import build_depth


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_demonstration_is_the_name_of_the_bundled_checkpoint():
    checkpoint = load_checkpoint("demonstration")
    assert checkpoint.path == bundled_checkpoint()
    assert checkpoint.header.is_metric and checkpoint.pose is not None


def test_a_folder_or_file_called_demonstration_wins_over_the_name(tmp_path):
    (tmp_path / "demonstration").mkdir()
    header = CheckpointHeader("rt_monodepth_s", 64, 96, training_camera=(0.5, 0.7, 0.5, 0.5))
    save_checkpoint(tmp_path / "demonstration" / "a.safetensors", header, build_depth("rt_monodepth_s"))
    with pytest.raises(CheckpointError, match=r"demonstration: no encoder.pth; give the path .*a.safetensors"):
        load_checkpoint("demonstration")


def test_the_error_for_an_unknown_name_offers_the_bundled_checkpoint():
    with pytest.raises(CheckpointError, match="no such file or folder.*'demonstration'"):
        load_checkpoint("demonstraton")


def test_the_model_card_of_the_bundled_checkpoint_is_printed_by_name(capsys):
    assert main(["info", "demonstration"]) == 0
    assert str(bundled_checkpoint()) in capsys.readouterr().out
