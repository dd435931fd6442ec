# SPDX-License-Identifier: Apache-2.0
"""The demonstration's comparison with ground truth and reference, for known outputs."""

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.geometry.motion import (
    axis_angle_to_rotation,
    invert,
    make_transform,
    rotation_to_quaternion,
)
from monodepth_ros.ros.demonstration.comparison import (
    compare_depth,
    compare_trajectories,
    pose_matrix,
)
from monodepth_ros.ros.demonstration.output_listener import stamp_of
from monodepth_ros.ros.interop import encode_image

TRUTH, INFO, ODOMETRY = "/ground_truth/depth", "/camera/camera_info", "/ground_truth/odometry"


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp("bags") / "drive.mcap"
    options = ["--seconds", "0.8", "--width", "160", "--height", "96"]
    assert monodepth(["synth", "--out", str(path), *options]) == 0
    return str(path)


def exact_outputs(bag, factor=1.0):
    """The messages of a node with exact depth, divided by a factor."""
    with Recording(bag) as recording:
        source = recording.first(INFO)
        info = CameraInfo(width=source.width, height=source.height, distortion_model="plumb_bob", d=[0.0] * 5)
        info.k, info.r, info.p = source.k, source.r, source.p
        found = {}
        for _, _, truth in recording.read([TRUTH]):
            depth = encode_image(decode_depth(truth) / np.float32(factor), "32FC1", Header())
            found[stamp_of(truth.header)] = {"depth/image": depth, "depth/camera_info": info}
    return found


def test_exact_depth_has_no_error(bag):
    found = compare_depth(bag, TRUTH, INFO, exact_outputs(bag), is_metric=True)
    assert len(found) == 8
    worst = max(item.metrics.abs_rel for item in found.values())
    assert worst < 1e-4, f"abs_rel {worst}"


def test_relative_depth_is_scaled_by_the_ratio_of_the_medians(bag):
    found = compare_depth(bag, TRUTH, INFO, exact_outputs(bag, factor=7.0), is_metric=False)
    item = next(iter(found.values()))
    assert item.factor == pytest.approx(7.0, rel=1e-3) and item.metrics.abs_rel < 1e-3
    unscaled = next(iter(compare_depth(bag, TRUTH, INFO, exact_outputs(bag, 7.0), is_metric=True).values()))
    assert unscaled.metrics.abs_rel == pytest.approx(6 / 7, abs=0.01) and unscaled.factor == 1.0


def test_only_complete_frames_are_compared(bag):
    outputs = exact_outputs(bag)
    stamps = sorted(outputs)
    del outputs[stamps[0]]
    del outputs[stamps[1]]["depth/image"]
    assert sorted(compare_depth(bag, TRUTH, INFO, outputs, True)) == stamps[2:]
    assert compare_depth(bag, "", INFO, outputs, True) == {}


def path_from_reference(bag, factor=1.0):
    """The reference trajectory as a path in another frame, divided by a factor."""
    T_odom_first = make_transform(axis_angle_to_rotation((0, 0, 1.2)), (3.0, -2.0, 0.5))
    path, first = Path(), None
    with Recording(bag) as recording:
        for _, _, message in recording.read([ODOMETRY]):
            T = pose_matrix(message.pose.pose)
            first = T if first is None else first
            T_first_now = invert(first) @ T
            T_first_now[:3, 3] /= factor
            T = T_odom_first @ T_first_now
            pose = PoseStamped()
            pose.header.stamp.sec, pose.header.stamp.nanosec = divmod(stamp_of(message.header), 10**9)
            p, q = pose.pose.position, pose.pose.orientation
            p.x, p.y, p.z = map(float, T[:3, 3])
            q.x, q.y, q.z, q.w = map(float, rotation_to_quaternion(T[:3, :3]))
            path.poses.append(pose)
    return path


@pytest.mark.parametrize("factor, is_metric", [(1.0, True), (4.0, False)])
def test_the_reference_is_aligned_to_the_first_pose(bag, factor, is_metric):
    found = compare_trajectories(path_from_reference(bag, factor), "base_link", bag, ODOMETRY, is_metric)
    error = np.abs(found.positions - found.reference).max()
    assert error < 1e-6 and found.factor == pytest.approx(factor), f"{error} m, factor {found.factor}"


def test_the_reference_of_another_frame_is_left_out(bag):
    path = path_from_reference(bag)
    assert compare_trajectories(path, "camera_optical_frame", bag, ODOMETRY, True).reference is None
    assert compare_trajectories(path, "base_link", bag, "", True).reference is None
    assert compare_trajectories(None, "", bag, ODOMETRY, True) is None
