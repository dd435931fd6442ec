# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth, build_pose


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "garden.safetensors"
    header = CheckpointHeader(
        depth_network="rt_monodepth_s",
        pose_network="posecnn",
        height=64,
        width=96,
        training_camera=(0.5, 0.75, 0.5, 0.5),
        pose_interval=0.2,
        scale_kind="metric",
        scale_factor=2.5,
        scale_origin="camera height 1.5 m",
        training_data="garden, 300 frames\x1b[31m\nsecond line",
        licence="CC-BY-4.0",
    )
    save_checkpoint(path, header, build_depth("rt_monodepth_s"), build_pose("posecnn"))
    return path


def test_the_model_card_lists_networks_camera_scale_and_licence(checkpoint, capsys):
    assert main(["info", str(checkpoint)]) == 0
    lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    card = {name: value.strip() for name, value in lines.items()}
    assert card["summary"] == "rt_monodepth_s 96x64, metric (x2.5), pose posecnn"
    assert card["depth network"] == "rt_monodepth_s, 1.24 M parameters"
    assert card["pose network"].startswith("posecnn, 1.59 M parameters") and "0.2 s apart" in card["pose network"]
    assert card["camera"] == "fx 48.0, fy 48.0, cx 47.5, cy 31.5 pixels at that size"
    assert "times 2.5 are metres (camera height 1.5 m)" in card["scale"]
    assert card["licence"] == "CC-BY-4.0"
    assert len(card["sha256"]) == 64


def test_the_checkpoint_may_be_named_as_in_other_verbs_and_is_the_bundled_one_by_default(checkpoint, capsys):
    assert main(["info", "--checkpoint", str(checkpoint)]) == 0
    assert "garden, 300 frames" in capsys.readouterr().out
    assert main(["info"]) == 0
    assert "demonstration" in capsys.readouterr().out


def test_control_characters_from_the_file_are_not_printed(checkpoint, capsys):
    main(["info", str(checkpoint)])
    out = capsys.readouterr().out
    assert "\x1b" not in out and "garden, 300 frames?[31m second line" in out


def test_json_holds_the_header_and_the_counts(checkpoint, capsys):
    assert main(["info", str(checkpoint), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["scale_factor"] == 2.5 and card["training_camera"] == [0.5, 0.75, 0.5, 0.5]
    assert card["depth_parameters"] == 858_048 + 376_979
    assert card["path"] == str(checkpoint)


def test_a_relative_checkpoint_without_pose_is_described(tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    header = CheckpointHeader("rt_monodepth_s", 64, 96, (0.5, 0.75, 0.5, 0.5))
    save_checkpoint(path, header, build_depth("rt_monodepth_s"))
    main(["info", str(path)])
    out = capsys.readouterr().out
    assert "sizes are not known" in out and "odometry follows features" in out and "no odometry" not in out
    assert "licence:         not stated" in out


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_bad_path_is_one_line_and_exit_code_2(tmp_path, capsys, options):
    path = tmp_path / "none.safetensors"
    assert main(["info", str(path), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and str(path) in captured.err
