# SPDX-License-Identifier: Apache-2.0
"""Depth and clouds that hold nothing for seconds: said in the diagnostics, with the cause and the remedy."""

import numpy as np
import pytest

from monodepth_ros.pipeline.config import DepthConfig
from monodepth_ros.pipeline.depth_content import depth_content, reason_for_no_depth
from monodepth_ros.pipeline.depth_image import depth_from_disparity
from monodepth_ros.ros.live import depth_watch

RAMP = np.linspace(0.02, 0.5, 64 * 64, dtype=np.float32).reshape(64, 64)  # 2 to 50 m


def reason(disparity=RAMP, mask=None, factor=1.0, **settings):
    config = DepthConfig(**settings)
    inverse = disparity.copy()
    if mask is not None:
        inverse[mask] = np.nan
    depth = depth_from_disparity(inverse, factor, config.min_range, config.max_range)
    content = depth_content(depth, disparity, inverse, factor, config.encoding)
    assert sum(content[:5]) == pytest.approx(1.0)
    return reason_for_no_depth(content, config, "fixed: 1 m per network unit", "m")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({}, ()),
        ({"max_range": 1.0}, ("100% of its pixels are farther than 1 m", "depth.max_range", "fixed: 1 m")),
        ({"min_range": 60.0}, ("nearer than 60 m", "depth.min_range", "scale")),
        ({"factor": 1e4}, ("farther than 100 m", "correct the scale")),
        ({"factor": 1e4, "max_range": 1e4, "encoding": "16UC1"}, ("farther than 65.535 m"[:16], "32FC1")),
        ({"mask": np.ones((64, 64), bool)}, ("outside the network's view", "image.view")),
        ({"disparity": np.full((64, 64), np.nan, np.float32)}, ("not a number", "precision", "checkpoint")),
        ({"disparity": np.full((64, 64), 0.1, np.float32)}, ("10 m in the whole image", "checkpoint")),
    ],
)
def test_the_reason_names_the_cause_and_the_remedy(case, words):
    text = reason(**case)
    assert bool(text) is bool(words) and all(word in text for word in words), text


def test_a_good_part_of_the_image_is_no_problem():
    mask = np.ones((64, 64), bool)
    mask[:, :8] = False
    assert reason(mask=mask) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depth__max_range": 0.2}, ("the depth image is empty", "depth.max_range")),
        ({"cloud__min_range": 90.0, "cloud__max_range": 95.0}, ("depth/points is empty", "cloud.max_range")),
        ({}, ("not a number", "precision")),
    ],
)
def test_an_empty_output_is_a_warning_while_it_lasts(harness, depth_checkpoint, monkeypatch, changes, words):
    monkeypatch.setattr(depth_watch, "LASTING", 0.2)
    node = harness(depth_checkpoint)
    node.send_info()
    for _ in range(4):
        node.exchange(node.next_stamp())
    node.settle(0.2)
    assert not [text for text in node.health().messages if words[0] in text]
    disparity = node.engine.disparity
    if changes:
        assert node.set(**changes).successful
    else:
        node.engine.disparity = lambda image: np.full_like(disparity(image), np.nan)
    for _ in range(5):
        node.exchange(node.next_stamp())
        node.settle(0.06)
    assert any(all(word in text for word in words) for text in node.health().messages), node.health().messages
    assert node.settled_counts()["frames_failed"] == 0
