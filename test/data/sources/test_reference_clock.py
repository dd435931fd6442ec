# SPDX-License-Identifier: Apache-2.0
"""References of another clock than the images', and odometry that states its motion in one of two ways."""

import numpy as np
import pytest
from small_sources import CAMERA, START_NS, TENTH, picture, read

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import RecordingError
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform

BOOT_NS = 12 * 10**9
SPEED = 3.0


def write(
    path, image_start_ns=START_NS, odometry_start_ns=START_NS, pose_moves=True, twist=SPEED, topic="/odom", **more
):
    """Images at 10 Hz and odometry at 20 Hz of a robot that drives ahead at 3 m/s, received in step.

    more: late_ns, of the odometry's receive times; edit(i, message), of an odometry message.
    """
    late_ns, edit = more.get("late_ns", 0), more.get("edit", lambda i, message: None)
    with BagWriter(path) as bag:
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
        mount = make_transform(R_BODY_OPTICAL, (0.4, 0, 1.2))
        bag.write(
            "/tf_static",
            START_NS,
            messages.transforms([messages.transform_stamped(messages.header(0, "base_link"), "camera", mount)]),
        )
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.add_topic(topic, "nav_msgs/msg/Odometry")
        for i in range(40):
            after_ns = i * TENTH // 2
            if i % 2 == 0:
                header = messages.header(image_start_ns + after_ns, "camera")
                bag.write("/camera/camera_info", START_NS + after_ns, messages.camera_info(header, CAMERA))
                bag.write("/camera/image_raw", START_NS + after_ns, messages.image(header, picture(i), "rgb8"))
            T = make_transform(np.eye(3), (SPEED * after_ns * 1e-9 * pose_moves, 0, 0))
            stamp = odometry_start_ns + after_ns if odometry_start_ns else 0
            odometry = messages.odometry(
                messages.header(stamp, "odom"), "base_link", T, np.eye(6), (twist, 0, 0, 0, 0, 0), np.eye(6)
            )
            edit(i, odometry)
            bag.write(topic, START_NS + after_ns + late_ns, odometry)
    return path


def test_a_candidate_of_another_clock_is_noted_with_both_times(tmp_path):
    source, frames = read(write(tmp_path / "bag", image_start_ns=BOOT_NS))
    (note,) = [note for note in source.notes if "two clocks" in note]
    assert note.startswith("images are of 12.0 s, /odom of 1700000000.0 s: two clocks")
    assert all(frame.T_world_camera is None for frame in frames)


def test_a_named_topic_of_another_clock_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="images are of 12.0 s, /odom of 1700000000.0 s: two clocks"):
        read(write(tmp_path / "bag", image_start_ns=BOOT_NS), odometry_topic="/odom")


def test_ground_truth_of_another_clock_is_not_used(tmp_path):
    source, frames = read(write(tmp_path / "bag", image_start_ns=BOOT_NS, topic="/ground_truth/odom"))
    assert any("two clocks" in note for note in source.notes)
    assert all(frame.T_world_camera is None for frame in frames)


@pytest.mark.parametrize("latency", [0, 300_000_000, -300_000_000])
def test_latency_is_no_other_clock(tmp_path, latency):
    source, _ = read(write(tmp_path / "bag", image_start_ns=START_NS + latency), odometry_topic="/odom")
    assert not any("two clocks" in note for note in source.notes)


def steps(frames):
    poses = [frame.T_world_camera for frame in frames if frame.T_world_camera is not None]
    return np.linalg.norm(np.diff([pose[:3, 3] for pose in poses], axis=0), axis=1)


def test_odometry_without_stamps_counts_at_its_receive_times(tmp_path):
    _, frames = read(write(tmp_path / "bag", odometry_start_ns=0), odometry_topic="/odom")
    np.testing.assert_allclose(steps(frames), SPEED * 0.1, atol=1e-6)


@pytest.mark.parametrize(("pose_moves", "twist"), [(True, SPEED), (True, 0.0), (False, SPEED)])
def test_odometry_moves_by_its_poses_or_else_by_its_twists(tmp_path, pose_moves, twist):
    source, frames = read(write(tmp_path / "bag", pose_moves=pose_moves, twist=twist), odometry_topic="/odom")
    assert len(steps(frames)) > 15
    np.testing.assert_allclose(steps(frames), SPEED * 0.1, atol=1e-6)
    said = any("integrated twists: its poses never move" in text for _, text in source.references)
    assert said is (not pose_moves)


def test_odometry_of_a_robot_that_stands_has_poses_that_do_not_move(tmp_path):
    source, frames = read(write(tmp_path / "bag", pose_moves=False, twist=0.0), odometry_topic="/odom")
    np.testing.assert_array_equal(steps(frames), 0)
    assert not any("twist" in text for _, text in source.references)


def without_position(message):
    message.pose.pose.position.y = np.nan


def without_rotation(message):
    q = message.pose.pose.orientation
    q.x = q.y = q.z = q.w = 0.0


@pytest.mark.parametrize("spoil", [without_position, without_rotation])
def test_poses_that_are_none_are_left_out_and_counted(tmp_path, spoil):
    def edit(i, message):
        if 14 <= i < 22:
            spoil(message)

    source, frames = read(write(tmp_path / "bag", edit=edit), odometry_topic="/odom")
    known = [i for i, frame in enumerate(frames) if frame.T_world_camera is not None]
    assert known == [i for i in range(20) if not 7 <= i < 11]
    np.testing.assert_allclose(frames[11].T_world_camera[0, 3] - frames[6].T_world_camera[0, 3], SPEED * 0.5, atol=1e-6)
    assert (
        "8 poses of /odom are not finite or beyond all bounds, or with a quaternion of zeros: left out" in source.notes
    )


@pytest.mark.parametrize("spoil", [without_position, without_rotation])
def test_odometry_without_any_pose_moves_by_its_twist(tmp_path, spoil):
    source, frames = read(write(tmp_path / "bag", edit=lambda i, message: spoil(message)), odometry_topic="/odom")
    assert len(steps(frames)) > 15
    np.testing.assert_allclose(steps(frames), SPEED * 0.1, atol=1e-6)
    assert any("integrated twists" in text for _, text in source.references)


def test_odometry_that_arrives_seconds_late_gives_poses_with_a_warning(tmp_path):
    source, frames = read(write(tmp_path / "bag", late_ns=1_500_000_000), odometry_topic="/odom")
    assert len(steps(frames)) == 19
    (note,) = [note for note in source.notes if "by their receive times" in note]
    assert "the stamps of /odom are 1.5 s behind those of the images: right if /odom took that long to arrive" in note


def test_stamps_that_are_seconds_ahead_of_the_images_are_warned_about(tmp_path):
    source, _ = read(write(tmp_path / "bag", odometry_start_ns=START_NS + 2 * 10**9), odometry_topic="/odom")
    (note,) = [note for note in source.notes if "by their receive times" in note]
    assert "the stamps of /odom are 2.0 s ahead of those of the images" in note


def test_a_source_says_why_it_has_no_poses(tmp_path):
    source, _ = read(write(tmp_path / "clock", image_start_ns=BOOT_NS, topic="/ground_truth/odom"))
    assert source.why_no_poses().startswith("images are of 12.0 s, /ground_truth/odom of 1700000000.0 s: two clocks")
    source, _ = read(write(tmp_path / "unnamed"))
    assert source.why_no_poses() == "--odometry-topic /odom names one"
