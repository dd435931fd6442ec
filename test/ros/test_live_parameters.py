# SPDX-License-Identifier: Apache-2.0
"""Parameters of a running node, over DDS: live changes, and settings that need an unconfigured node."""

import numpy as np
from rclpy.parameter import Parameter

from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.settings.schema import specifications, values

SECOND = 1_000_000_000
SPECIFICATIONS = specifications(NodeConfig)
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def make_transitions(node, *names):
    """Make lifecycle transitions on the thread that spins the node, as the process does."""
    results = node.on_executor(lambda: [getattr(node.node, f"trigger_{name}")().name for name in names])
    assert results == ["SUCCESS"] * len(names)


def set_one(node, name, value):
    """Set a parameter on the thread that spins the node; the result."""
    return node.on_executor(lambda: node.node.set_parameters([Parameter(name, value=value)])[0])


OTHER_TEXTS = {"image.encoding": "yuyv", "image.intensity_range": "7000:9000"}


def another(specification):
    """A valid value that is not the default."""
    if specification.type is bool:
        return not specification.default
    if specification.choices:
        return next(choice for choice in reversed(specification.choices) if choice != specification.default)
    if specification.name in OTHER_TEXTS:
        return OTHER_TEXTS[specification.name]
    if specification.type in (str, tuple):
        return "another" if specification.type is str else ["another"]
    limit = specification.minimum if ".min_" in specification.name else specification.maximum
    return specification.type(0.5 * (specification.default + limit))


def test_settings_that_are_not_live_need_an_unconfigured_node(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    fixed = [s for s in SPECIFICATIONS.values() if not s.live and s.name != "autostart"]
    assert {"checkpoint", "device", "depth.encoding", "base_frame", "image_transport"} < {s.name for s in fixed}
    for specification in fixed:
        result = set_one(node, specification.name, another(specification))
        assert not result.successful and specification.name in result.reason and "clean up" in result.reason, result
    make_transitions(node, "deactivate")
    assert not set_one(node, "depth.encoding", "16UC1").successful
    make_transitions(node, "cleanup")
    assert not set_one(node, "autostart", False).successful
    for specification in fixed:
        if specification.name in ("odometry.camera", "scale.stereo_camera"):  # they go with cameras
            continue
        default = values(node.node.config)[specification.name]
        assert set_one(node, specification.name, another(specification)).successful, specification.name
        assert set_one(node, specification.name, default).successful, specification.name
    assert set_one(node, "depth.encoding", "16UC1").successful
    make_transitions(node, "configure", "activate")
    node.wait_connected()
    node.send_info()
    assert node.exchange(SECOND).encoding == "16UC1"


def test_every_live_parameter_may_change_while_active(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed")
    node.send_info()
    for i, specification in enumerate(s for s in SPECIFICATIONS.values() if s.live and s.name != "enabled"):
        default = values(node.node.config)[specification.name]
        result = set_one(node, specification.name, another(specification))
        assert result.successful, f"{specification.name}: {result.reason}"
        assert values(node.node.config)[specification.name] == another(specification)
        node.exchange((10 + i) * SECOND)
        assert set_one(node, specification.name, default).successful
    assert node.counts()["frames_failed"] == node.counts()["frames_invalid"] == 0


def test_live_changes_show_in_the_next_frame(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()

    def depth(second):
        message = node.exchange(second * SECOND, TEXTURE)
        return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)

    first = depth(1)
    limit = float(np.median(first))
    assert set_one(node, "depth.max_range", limit).successful
    near = depth(2)
    assert 0.4 < np.isposinf(near).mean() < 0.6
    np.testing.assert_array_equal(near, np.where(first > limit, np.inf, first))

    assert node.set(depth__max_range=100.0, scale__source="fixed", scale__factor=6.0).successful
    status = node.exchange(3 * SECOND, TEXTURE, topic="depth/status")
    assert (status.scale, status.scale_source) == (6.0, status.SCALE_FIXED)
    fixed = depth(4)
    both = np.isfinite(first) & np.isfinite(fixed)
    np.testing.assert_allclose(fixed[both], 3.0 * first[both], rtol=1e-5)

    assert set_one(node, "cloud.stride", 4).successful
    cloud = node.exchange(5 * SECOND, TEXTURE, topic="depth/points")
    assert (cloud.width, cloud.height, cloud.row_step) == (80, 24, 80 * 16)

    large = np.random.default_rng(6).integers(0, 255, (192, 640, 3), np.uint8)
    info = node.received["depth/camera_info"][-1]
    node.send_info(type(info)(width=640, height=192, distortion_model="plumb_bob", d=info.d, k=_twice(info.k)))
    assert (node.exchange(6 * SECOND, large).width, node.exchange(7 * SECOND, large).height) == (320, 96)
    assert set_one(node, "depth.resolution", "image").successful
    message = node.exchange(8 * SECOND, large)
    assert (message.width, message.height) == (640, 192)
    assert node.output(8 * SECOND, "depth/camera_info").width == 640

    assert set_one(node, "enabled", False).successful
    unwanted = node.counts()["frames_unwanted"]
    node.send(9 * SECOND, large)
    node.wait(lambda: node.counts()["frames_unwanted"] == unwanted + 1)
    assert set_one(node, "enabled", True).successful
    node.exchange(10 * SECOND, large)
    assert not [message for message in node.received["depth/image"] if message.header.stamp.sec == 9]


def _twice(k):
    """Intrinsics of the same camera at twice the size."""
    return [2 * k[0], 0.0, 2 * k[2] + 0.5, 0.0, 2 * k[4], 2 * k[5] + 0.5, 0.0, 0.0, 1.0]


def test_a_scale_that_the_checkpoint_lacks_is_refused(harness, relative_checkpoint):
    node = harness(relative_checkpoint, scale__source="relative")
    for source in ("auto", "checkpoint"):
        result = set_one(node, "scale.source", source)
        assert not result.successful and "relative" in result.reason, result
    assert node.set(scale__source="fixed", scale__factor=2).successful
    node.send_info()
    assert node.exchange(SECOND, topic="depth/status").scale == 2.0
