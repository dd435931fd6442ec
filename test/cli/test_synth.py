# SPDX-License-Identifier: Apache-2.0
"""`monodepth synth`: images, calibration, transforms and ground truth of a recording are consistent."""

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.cli.synth import DISTORTIONS, make_cameras, parse_distortion
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.topics import choose_image_stream
from monodepth_ros.data.sources.reference_topics import ground_truth_depth, ground_truth_odometry
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert, make_transform, quaternion_to_rotation
from monodepth_ros.synthetic.drive import Drive
from monodepth_ros.synthetic.drive_bag import write_drive

SMALL = ["--width", "320", "--height", "96", "--seconds", "0.3", "--seed", "5"]


def transform_of(translation, rotation):
    q = (rotation.x, rotation.y, rotation.z, rotation.w)
    return make_transform(quaternion_to_rotation(q), (translation.x, translation.y, translation.z))


def read_frames(path, topic=""):
    """Camera model, T_base_camera and a list of (stamp, image, depth, T_world_base) of a recording."""
    with Recording(path) as recording:
        stream = choose_image_stream(recording, topic)
        info = CameraModel.from_camera_info(recording.first(stream.camera_info))
        mounts = {t.child_frame_id: t for t in recording.first("/tf_static").transforms}
        topics = [stream.image, ground_truth_depth(recording), ground_truth_odometry(recording)]
        by_stamp = {}
        for name, _, message in recording.read(topics):
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            by_stamp.setdefault(stamp, {})[name] = message
    frames = []
    for stamp, messages in sorted(by_stamp.items()):
        image, depth, odometry = (messages[name] for name in topics)
        assert image.header.frame_id == depth.header.frame_id
        assert (odometry.header.frame_id, odometry.child_frame_id) == ("world", "base_link")
        if stream.compressed:
            pixels = cv2.cvtColor(cv2.imdecode(image.data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        else:
            pixels = image.data.reshape(image.height, image.width, 3)
        metres = depth.data.view("<f4").reshape(depth.height, depth.width)
        pose = odometry.pose.pose
        frames.append((stamp, pixels, metres, transform_of(pose.position, pose.orientation)))
    optical = mounts[image.header.frame_id]
    link = mounts[optical.header.frame_id]
    assert link.header.frame_id == "base_link"
    T_base_link, T_link_optical = (transform_of(m.transform.translation, m.transform.rotation) for m in (link, optical))
    return info, T_base_link @ T_link_optical, frames


def check_the_first_image(camera, T_base_camera, frames):
    """Warp image 1 to image 0 by the recorded depth, poses, transforms and distortion, and compare them."""
    (_, image, depth, T_world_base), (_, following, _, T_world_base_next) = frames[:2]
    T = invert(T_world_base_next @ T_base_camera) @ T_world_base @ T_base_camera
    pixels = np.stack(np.meshgrid(np.arange(320), np.arange(96)), -1).astype(np.float64)
    valid = np.isfinite(depth)
    points = camera.backproject(pixels, np.where(valid, depth, 1).astype(np.float64)) @ T[:3, :3].T + T[:3, 3]
    at = camera.project(points)
    valid &= (at >= 0).all(-1) & (at[..., 0] <= 319) & (at[..., 1] <= 95)
    maps = np.nan_to_num(at, nan=-9).astype(np.float32)
    warped = cv2.remap(following.astype(np.float32), maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)
    error = np.median(np.abs(warped - image).mean(-1)[valid])
    still = np.median(np.abs(following.astype(float) - image).mean(-1)[valid])
    assert error < 3.5 and still > 2 * error, f"median {error:.2f} with the recorded motion, {still:.2f} without"


def test_a_distorted_recording_is_consistent_with_its_ground_truth(tmp_path, capsys):
    path = tmp_path / "drive.mcap"
    assert main(["synth", "--out", str(path), *SMALL, "--distortion", "plumb_bob"]) == 0
    assert "3 frames" in capsys.readouterr().out and path.is_file()
    camera, T_base_camera, frames = read_frames(path)
    assert camera.is_distorted
    assert T_base_camera[:3, 3] == pytest.approx([1.2, 0, 1.65])
    assert [stamp - frames[0][0] for stamp, *_ in frames] == [0, 10**8, 2 * 10**8]
    check_the_first_image(camera, T_base_camera, frames)


def test_a_compressed_stereo_recording_is_consistent_with_its_ground_truth(tmp_path):
    path = tmp_path / "drive"
    options = ["--storage", "sqlite3", "--compressed", "--no-traffic", "--stereo", "0.4"]
    assert main(["synth", "--out", str(path), *SMALL, *options]) == 0
    camera, T_base_camera, frames = read_frames(path, "/left/image_raw/compressed")
    check_the_first_image(camera, T_base_camera, frames)
    with Recording(path) as recording:
        right = CameraModel.from_camera_info(recording.first("/right/camera_info"))
        mounts = {t.child_frame_id: t.transform.translation for t in recording.first("/tf_static").transforms}
        odometry = recording.first(ground_truth_odometry(recording))
    assert right.baseline == pytest.approx(0.4)
    assert mounts["left_link"].y - mounts["right_link"].y == pytest.approx(0.4)
    moved = (invert(frames[0][3]) @ frames[1][3])[:3, 3] / 0.1
    linear = odometry.twist.twist.linear
    assert moved == pytest.approx([linear.x, linear.y, linear.z], abs=0.25)
    assert 5 <= linear.x <= 12 and (odometry.pose.covariance.reshape(6, 6).diagonal() > 0).all()


def test_an_existing_file_and_impossible_options_are_refused_before_any_work(tmp_path, capsys):
    (tmp_path / "there.mcap").write_bytes(b"")
    cases = {
        "exists already": ["--out", str(tmp_path / "there.mcap")],
        "does not fit storage": ["--out", str(tmp_path / "new.mcap"), "--storage", "sqlite3"],
        "unknown distortion": ["--out", str(tmp_path / "new"), "--distortion", "cubist"],
        "expected numbers": ["--out", str(tmp_path / "new"), "--distortion", "plumb_bob:a,b"],
        "hold no frame": ["--out", str(tmp_path / "new"), "--seconds", "0.01"],
        "too small": ["--out", str(tmp_path / "new"), "--width", "3"],
        "plumb_bob": ["--out", str(tmp_path / "new"), "--distortion", "plumb_bob:0.1,0.2"],
    }
    for expected, options in cases.items():
        assert main(["synth", *options]) == 2
        error = capsys.readouterr().err
        assert expected in error and error.count("\n") == 1, f"{expected!r} not in {error!r}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["there.mcap"]


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_every_distortion_preset_covers_the_whole_image(kind):
    camera = make_cameras(640, 192, kind)["camera"].model
    corners = np.array([(0, 0), (639, 0), (0, 191), (639, 191)], float)
    rays = camera.backproject(corners, np.ones(4))
    assert camera.is_distorted and np.isfinite(rays).all()
    assert camera.project(rays) == pytest.approx(corners, abs=0.01)


def test_coefficients_of_a_distortion_are_read():
    assert parse_distortion("plumb_bob:-0.1,0.2,0,0,0") == ("plumb_bob", (-0.1, 0.2, 0, 0, 0))
    with pytest.raises(MonodepthError, match="unknown distortion 'fisheye'"):
        parse_distortion("fisheye:1")


def test_a_drive_that_is_stopped_keeps_its_frames(tmp_path):
    drive = Drive(1, 2.0, 10.0, make_cameras(64, 32))
    written = []
    for count in write_drive(drive, tmp_path / "part.mcap", is_stopped=lambda: len(written) >= 2):
        written.append(count)
    with Recording(tmp_path / "part.mcap") as recording:
        assert recording.topics["/camera/image_raw"].count == len(written) == 2
