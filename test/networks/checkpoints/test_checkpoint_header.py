# SPDX-License-Identifier: Apache-2.0
"""Checkpoint headers: JSON, wrong values, unknown fields."""

import dataclasses
import json

import pytest

from monodepth_ros.geometry.resample import FILTERS as RESAMPLER_FILTERS
from monodepth_ros.networks.checkpoints.header import FILTERS, FORMAT_VERSION, CheckpointError, CheckpointHeader

SMALL = dict(depth_network="rt_monodepth_s", height=64, width=96, training_camera=(0.58, 1.92, 0.5, 0.5))


def written(**changes):
    """The JSON of a good header with changed entries; None removes an entry."""
    values = json.loads(CheckpointHeader(**SMALL).to_json())
    values.update(changes)
    return json.dumps({name: value for name, value in values.items() if value is not None})


def test_a_header_is_read_back_from_json_unchanged():
    header = CheckpointHeader(
        **SMALL,
        pose_network="separate_resnet18",
        min_depth=0.5,
        max_depth=40,
        filter="lanczos",
        pose_interval=0.2,
        scale_kind="metric",
        scale_factor=5.4,
        scale_origin="stereo",
        training_data="a drive",
        licence="CC0",
        versions={"torch": "2.13"},
    )
    assert CheckpointHeader.from_json(header.to_json()) == header


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"depth_network": "resnet19"}, "depth_network is 'resnet19', expected one of 'resnet18'"),
        ({"depth_network": 18}, "depth_network is 18, expected text"),
        ({"pose_network": "posenet"}, "pose_network is 'posenet', expected one of ''"),
        ({"pose_network": "shared_resnet18"}, "shares the encoder of rt_monodepth_s"),
        ({"height": 63}, "96x63.*multiples of 32"),
        ({"height": 0}, "96x0.*multiples of 32"),
        ({"width": -32}, "-32x64.*multiples of 32"),
        ({"width": 32_000}, "size is 32000, expected at most 8192"),
        ({"width": 96.0}, "width is 96.0, expected a whole number"),
        ({"width": True}, "width is True, expected a whole number"),
        ({"training_camera": [0.58, 1.92, 0.5]}, "training_camera is .*, expected four finite numbers"),
        ({"training_camera": "KITTI"}, "training_camera is 'KITTI', expected four finite numbers"),
        (
            {"training_camera": [0.58, 1.92, 0.5, float("nan")]},
            "training_camera is .*, expected four finite numbers",
        ),
        ({"training_camera": [371.2, 368.6, 320.0, 96.0]}, "training_camera .* divided by the image size"),
        ({"training_camera": [-0.58, 1.92, 0.5, 0.5]}, "training_camera .* divided by the image size"),
        ({"min_depth": 0}, "min_depth is 0.0, expected a positive number"),
        ({"max_depth": 0.1}, "max_depth is 0.1, expected a number above min_depth 0.1"),
        ({"max_depth": float("inf")}, "max_depth is inf, expected a finite number"),
        ({"max_depth": 10**400}, "max_depth is 10+.*, expected a finite number"),
        ({"filter": "cubic"}, "filter is 'cubic', expected one of 'area'"),
        ({"normalization": [0.485, 0.229]}, "normalization is .*, expected one of"),
        ({"pose_interval": 0}, r"pose_interval is 0.0, expected seconds"),
        ({"pose_order": "later_earlier"}, "pose_order is 'later_earlier', expected one of 'earlier_later'"),
        ({"pose_direction": "T_earlier_later"}, "pose_direction is .*, expected one of 'T_later_earlier'"),
        ({"scale_kind": "absolute"}, "scale_kind is 'absolute', expected one of 'relative', 'metric'"),
        ({"scale_factor": 5.4}, "scale_factor is 5.4, expected 1 for a relative checkpoint"),
        ({"scale_kind": "metric", "scale_factor": -1}, "scale_factor is -1.0, expected a positive number"),
        ({"scale_kind": "metric", "scale_factor": "5.4"}, "scale_factor is '5.4', expected a finite number"),
        ({"licence": ["MIT"]}, "licence is .*, expected text"),
        ({"versions": {"torch": 2}}, "versions is .*, expected names and versions as text"),
        ({"versions": "2.13"}, "versions is '2.13', expected names and versions as text"),
        ({"format_version": FORMAT_VERSION + 1}, "newer than this package reads .*update monodepth_ros"),
        ({"format_version": 0}, "format_version is 0, expected"),
        ({"format_version": "1"}, "format_version is '1', expected"),
        ({"format_version": None}, "format_version is None, expected"),
        ({"depth_network": None}, "depth_network is missing"),
        ({"training_camera": None}, "training_camera is missing"),
    ],
)
def test_each_wrong_value_is_refused_in_one_line(changes, expected):
    with pytest.raises(CheckpointError, match=expected) as caught:
        CheckpointHeader.from_json(written(**changes))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 700


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, '{"height": 1' + "0" * 5000 + "}"])
def test_text_without_a_header_is_refused(text):
    with pytest.raises(CheckpointError):
        CheckpointHeader.from_json(text)


def test_a_newer_version_is_refused_as_such_before_its_fields():
    text = json.dumps({"format_version": 7, "depth_network": {"family": "transformer"}})
    with pytest.raises(CheckpointError, match="format version 7 is newer"):
        CheckpointHeader.from_json(text)


def test_unknown_fields_are_ignored():
    assert CheckpointHeader.from_json(written(colour="RGB", lens={"kind": "fisheye"})) == CheckpointHeader(**SMALL)


def test_every_filter_of_a_header_can_be_computed():
    assert FILTERS == RESAMPLER_FILTERS


def test_optional_fields_may_be_absent():
    text = json.dumps({**SMALL, "format_version": 1})
    assert CheckpointHeader.from_json(text) == CheckpointHeader(**SMALL)


def test_the_summary_states_network_size_scale_and_pose():
    relative = CheckpointHeader(**SMALL)
    assert relative.summary() == "rt_monodepth_s 96x64, relative scale, no pose network"
    metric = dataclasses.replace(relative, scale_kind="metric", scale_factor=5.4, pose_network="posecnn")
    assert metric.summary() == "rt_monodepth_s 96x64, metric (x5.4), pose posecnn"
