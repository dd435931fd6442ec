# SPDX-License-Identifier: Apache-2.0
"""Frames come out of every kind of source with the right times, cameras and ground truth."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from monodepth_ros.data.bags import messages as messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources import live_camera
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.read_ahead import read_ahead
from monodepth_ros.data.sources.source import SourceChoiceError, SourceError, SourceOptions
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import make_transform

START_NS = 1_700_000_000_000_000_000
TENTH = 100_000_000
CAMERA = CameraModel.pinhole(8, 6, 5.0, 5.0, 3.5, 2.5)


def picture(value, width=8, height=6):
    return np.full((height, width, 3), value % 256, np.uint8)


def read(path, **options):
    with open_source(str(path), SourceOptions(**options)) as source:
        return source, list(source.frames())


def drive_bag(path, count=5, cameras=("camera",), truth=True, info=True):
    """Images at 10 Hz, calibration, a camera 1 m above base_link, exact depth, odometry at 20 Hz, 1 m/s."""
    with BagWriter(path) as bag:
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
        mounts = [
            messages.transform_stamped(
                messages.header(0, "base_link"), f"{name}_optical", make_transform(np.eye(3), (0, 0, 1))
            )
            for name in cameras
        ]
        bag.write("/tf_static", START_NS, messages.transforms(mounts))
        for name in cameras:
            bag.add_topic(f"/{name}/image_raw", "sensor_msgs/msg/Image")
            if info:
                bag.add_topic(f"/{name}/camera_info", "sensor_msgs/msg/CameraInfo")
        if truth:
            bag.add_topic("/ground_truth/depth", "sensor_msgs/msg/Image")
            bag.add_topic("/ground_truth/odometry", "nav_msgs/msg/Odometry")
        for i in range(count):
            stamp_ns = START_NS + i * TENTH
            for name in cameras:
                header = messages.header(stamp_ns, f"{name}_optical")
                bag.write(f"/{name}/image_raw", stamp_ns + 1000, messages.image(header, picture(i), "rgb8"))
                if info:  # the calibration comes after its image here
                    bag.write(f"/{name}/camera_info", stamp_ns + 2000, messages.camera_info(header, CAMERA))
            if truth:
                header = messages.header(stamp_ns, f"{cameras[0]}_optical")
                depth = np.full((6, 8), 1.0 + i, np.float32)
                bag.write("/ground_truth/depth", stamp_ns + 3000, messages.image(header, depth, "32FC1"))
            for half in (0, 1) if truth else ():
                at_ns = stamp_ns + half * TENTH // 2 - TENTH // 4
                pose = make_transform(np.eye(3), ((at_ns - START_NS) * 1e-9, 0, 0))
                zero = np.eye(6) * 1e-9
                odometry = messages.odometry(
                    messages.header(at_ns, "world"), "base_link", pose, zero, np.zeros(6), zero
                )
                bag.write("/ground_truth/odometry", at_ns, odometry)
    return path


def test_a_bag_gives_images_calibration_and_ground_truth(tmp_path):
    source, frames = read(drive_bag(tmp_path / "bag.mcap"))
    assert (source.frame_id, source.frame_count, len(frames)) == ("camera_optical", 5, 5)
    for i, frame in enumerate(frames):
        assert (frame.name, frame.stamp_ns, frame.received_ns) == (
            f"{i:06d}",
            START_NS + i * TENTH,
            START_NS + i * TENTH + 1000,
        )
        assert frame.pixels.array[0, 0, 0] == i and frame.camera.key == CAMERA.key
        assert (frame.truth_depth == 1.0 + i).all()
        # Between two poses, and in the camera: 1 m above the base.
        np.testing.assert_allclose(frame.T_world_camera[:3, 3], (0.1 * i, 0, 1), atol=1e-6)
    assert source.transforms.parent_of("camera_optical") == "base_link"


def test_the_odometry_of_a_bag_may_be_named(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as bag:
        for topic, kind in {"/image": "sensor_msgs/msg/Image", "/odom": "nav_msgs/msg/Odometry"}.items():
            bag.add_topic(topic, kind)
        header, zero = messages.header(START_NS, "base_link"), np.zeros((6, 6))
        bag.write("/image", START_NS, messages.image(header, picture(1), "rgb8"))
        pose = make_transform(np.eye(3), (1, 2, 3))
        bag.write(
            "/odom",
            START_NS,
            messages.odometry(messages.header(START_NS, "odom"), "base_link", pose, zero, zero[0], zero),
        )
    _, frames = read(path)
    assert frames[0].T_world_camera is None, "a robot's odometry is no ground truth unless a user says so"
    _, frames = read(path, odometry="/odom")
    np.testing.assert_allclose(frames[0].T_world_camera, pose)
    with pytest.raises(
        MonodepthError, match=r"/image holds 1 sensor_msgs/msg/Image, expected nav_msgs/msg/Odometry \(there: /odom\)"
    ):
        read(path, odometry="/image")


def test_a_part_of_a_bag(tmp_path):
    source, frames = read(drive_bag(tmp_path / "bag.mcap", count=10), start=0.25, duration=0.4)
    assert [int(f.pixels.array[0, 0, 0]) for f in frames] == [3, 4, 5, 6]
    assert [f.truth_depth[0, 0] for f in frames] == [4, 5, 6, 7]


def test_several_cameras_are_offered_ready_to_paste(tmp_path):
    path = drive_bag(tmp_path / "bag", cameras=("left", "right"))
    with pytest.raises(SourceChoiceError, match="2 cameras") as caught:
        open_source(str(path))
    assert caught.value.choices == [["--topic", "/left/image_raw"], ["--topic", "/right/image_raw"]]
    _, frames = read(path, topic="/right/image_raw")
    assert frames[0].truth_depth is None, "the depth of another camera"
    assert frames[0].T_world_camera is not None


def test_images_that_cannot_be_used_are_left_out_with_a_reason(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as bag:
        bag.add_topic("/image", "sensor_msgs/msg/Image")
        bag.add_topic("/camera_info", "sensor_msgs/msg/CameraInfo")
        header = messages.header(START_NS, "camera")
        bag.write("/camera_info", START_NS, messages.camera_info(header, CAMERA))
        bag.write("/image", START_NS + 1, messages.image(header, picture(1), "rgb8"))
        bag.write("/image", START_NS + 2, messages.image(header, picture(2), "rgb23"))
        bag.write("/image", START_NS + 3, messages.image(header, picture(3, width=10), "rgb8"))
    source, frames = read(path)
    assert len(frames) == 1 and source.left_out.total() == 2
    assert any("rgb23" in reason for reason in source.left_out) and any("10x6" in reason for reason in source.left_out)


def test_a_bag_without_calibration_is_uncalibrated_or_takes_a_file(tmp_path):
    path = drive_bag(tmp_path / "bag.mcap", info=False)
    source, frames = read(path)
    assert not frames[0].camera.is_calibrated and "no camera_info" in source.notes[0]
    write_calibration(tmp_path / "camera.yaml", CAMERA, "camera")
    source, frames = read(path, calibration_file=str(tmp_path / "camera.yaml"))
    assert frames[0].camera.key == CAMERA.key and not source.notes


def test_a_folder_of_images_counts_in_numbers_and_reads_its_times(tmp_path):
    for i in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"frame_{i}.png"), picture(i))
    source, frames = read(tmp_path)
    assert [f.name for f in frames] == ["frame_1", "frame_2", "frame_10"]
    assert [f.stamp_ns for f in frames] == [1, TENTH, 2 * TENTH], "10 Hz, and 0 would mean no stamp"
    assert not frames[0].camera.is_calibrated
    _, frames = read(tmp_path, rate=5.0)
    assert frames[1].stamp_ns == 2 * TENTH
    (tmp_path / "times.txt").write_text("100.0\n100.5\n100.75\n")
    write_calibration(tmp_path / "calibration.yaml", CAMERA, "camera")
    _, frames = read(tmp_path, start=0.4)
    assert [f.stamp_ns for f in frames] == [100_500_000_000, 100_750_000_000]
    assert frames[0].camera.key == CAMERA.key


def test_a_folder_with_a_broken_image_goes_on(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.png").write_bytes(b"no image")
    (tmp_path / "c.png").write_bytes(b"")
    source, frames = read(tmp_path)
    assert len(frames) == 1 and source.left_out.total() == 2


def test_grey_images_stay_grey_and_16_bits_become_8(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((6, 8), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((6, 8), 51400, np.uint16))
    _, frames = read(tmp_path)
    assert [(f.pixels.layout, f.pixels.array.dtype, f.pixels.array[0, 0]) for f in frames] == [
        ("mono", np.uint8, 200)
    ] * 2


def kitti_odometry(folder):
    for number in (0, 1, 2):
        (folder / f"image_{number}").mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(folder / f"image_{number}" / f"{i:06d}.png"), picture(10 * number + i))
    rows = [f"P{n}: 5 0 3.5 {-5 * n} 0 5 2.5 0 0 0 1 0" for n in range(4)]
    (folder / "calib.txt").write_text("\n".join(rows) + "\n")
    (folder / "times.txt").write_text("0.0\n0.1\n0.2\n")
    (folder / "poses.txt").write_text("".join(f"1 0 0 0 0 1 0 0 0 0 1 {i}\n" for i in range(3)))
    return folder


def test_a_kitti_sequence_has_cameras_times_and_poses(tmp_path):
    folder = kitti_odometry(tmp_path / "06")
    _, frames = read(folder)
    assert frames[0].pixels.array[0, 0, 0] == 20, "left is the colour camera where there is one"
    _, frames = read(folder, camera="right")
    assert [int(f.pixels.array[0, 0, 0]) for f in frames] == [10, 11, 12]
    # P[0, 3] = -fx * baseline: this camera stands 1 m to the right.
    np.testing.assert_allclose(frames[2].T_world_camera[:3, 3], (1, 0, 2))
    assert np.array_equal(frames[2].camera.K, CAMERA.K) and frames[2].camera.baseline == 1.0
    assert frames[2].camera.is_rectified and frames[1].stamp_ns == TENTH
    with pytest.raises(SourceError, match="no camera 'image_3': give --camera left, right, or one of image_0"):
        open_source(str(folder), SourceOptions(camera="image_3"))
    (folder / "times.txt").write_text("0.0\n")
    with pytest.raises(SourceError, match="1 times for 3 images"):
        open_source(str(folder))


def test_a_kitti_drive_has_stamps_calibration_above_it_and_depth(tmp_path):
    drive = tmp_path / "2011_09_26_drive_0001_sync"
    (drive / "image_02" / "data").mkdir(parents=True)
    (drive / "proj_depth" / "groundtruth" / "image_02").mkdir(parents=True)
    for i in range(2):
        cv2.imwrite(str(drive / "image_02" / "data" / f"{i:010d}.png"), picture(i))
    counts = np.zeros((6, 8), np.uint16)
    counts[2, 3] = 2560
    cv2.imwrite(str(drive / "proj_depth" / "groundtruth" / "image_02" / "0000000001.png"), counts)
    (tmp_path / "calib_cam_to_cam.txt").write_text("calib_time: 09-Jan-2012\nP_rect_02: 5 0 3.5 0 0 5 2.5 0 0 0 1 0\n")
    stamps = "2011-09-26 13:02:25.500000000\n2011-09-26 13:02:25.603000123\n"
    (drive / "image_02" / "timestamps.txt").write_text(stamps)
    source, frames = read(drive)
    assert [f.stamp_ns for f in frames] == [1, 103_000_000] and frames[0].camera.key == CAMERA.key
    assert frames[0].truth_depth is None and source.truth_crop == "garg"
    assert frames[1].truth_depth[2, 3] == 10.0 and np.isnan(frames[1].truth_depth[0, 0])


def test_a_video_has_its_own_times(tmp_path):
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (64, 48))
    for i in range(10):
        writer.write(picture(20 * i, 64, 48))
    writer.release()
    source, frames = read(path)
    assert source.frame_count == len(frames) == 10
    assert [f.stamp_ns for f in frames[:3]] == [1, 200_000_000, 400_000_000]
    assert abs(int(frames[5].pixels.array[0, 0, 0]) - 100) < 4
    source, frames = read(path, start=0.5, duration=1.0)
    assert [f.name for f in frames] == ["000003", "000004", "000005", "000006", "000007"]


def test_a_camera_stamps_its_frames_when_they_come(tmp_path, monkeypatch):
    """OpenCV reads a film here in place of the camera that a test machine does not have."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (64, 48))
    for i in range(4):
        writer.write(picture(50 * i, 64, 48))
    writer.release()
    monkeypatch.setattr(live_camera, "open_camera", lambda number: cv2.VideoCapture(str(path)))
    before = time.time_ns()
    source, frames = read("0")
    assert source.frame_count is None and "no calibration" in source.notes[0]
    stamps = [before, *(frame.stamp_ns for frame in frames), time.time_ns()]
    assert len(frames) == 4 and stamps == sorted(stamps), stamps
    assert [frame.name for frame in frames] == ["000000", "000001", "000002", "000003"]
    write_calibration(tmp_path / "other.yaml", CAMERA, "camera")
    with pytest.raises(CalibrationError, match="image of 64x48 but the calibration file is for 8x6"):
        read("0", calibration_file=str(tmp_path / "other.yaml"))


def test_what_cannot_be_opened_gives_one_line_that_says_what_to_do(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.mp4").write_bytes(bytes(1000))
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "none.mcap").write_bytes(b"")
    cases = {
        "missing": "does not exist: expected a bag",
        "empty": "holds nothing to run on",
        "noise.mp4": "cannot be opened as a video",
        "a.png": "give its folder",
        "none.mcap": "is empty",
    }
    for name, expected in cases.items():
        with pytest.raises(MonodepthError, match=expected) as caught:
            open_source(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    if not Path("/dev/video7").exists():
        with pytest.raises(SourceError, match="camera 7 cannot be opened"):
            open_source("7")


def test_reading_ahead_keeps_order_errors_and_ends_when_left():
    taken = []

    def numbers():
        for i in range(100):
            taken.append(i)
            yield i

    assert list(read_ahead(numbers())) == list(range(100))
    taken.clear()
    for i in read_ahead(numbers(), count=2):
        if i == 3:
            break
    assert len(taken) < 10, f"{len(taken)} taken for 4 wanted"

    def failing():
        yield 1
        raise SourceError("the disk is gone")

    frames = read_ahead(failing())
    assert next(frames) == 1
    with pytest.raises(SourceError, match="the disk is gone"):
        next(frames)


def test_real_recordings(monodepth_data):
    source, frames = read(monodepth_data / "kitti_odom_06_f000-050_gray_stereo", camera="right", start=4.9)
    assert [f.name for f in frames] == ["000048", "000049", "000050"]
    assert frames[-1].pixels.size == (frames[-1].camera.width, frames[-1].camera.height) == (1226, 370)
    assert frames[-1].T_world_camera[2, 3] == pytest.approx(59.84, abs=0.01)
    with pytest.raises(SourceChoiceError):
        open_source(str(monodepth_data / "rosbag2" / "kitti06_stereo_raw_mono8_sqlite3"))
    source, frames = read(
        monodepth_data / "rosbag2" / "kitti06_stereo_raw_mono8_sqlite3", topic="/stereo/left/image_raw"
    )
    assert len(frames) == 12 and frames[-1].T_world_camera is not None
    source, frames = read(monodepth_data / "kitti_raw_2011_09_26_drive_0052", duration=0.15)
    assert len(frames) == 2 and np.isfinite(frames[0].truth_depth).sum() > 10000


def test_any_frame_can_be_read_again_in_any_order(tmp_path):
    drive_bag(tmp_path / "drive.mcap")
    for i in range(5):
        cv2.imwrite(str(tmp_path / f"{i}.png"), picture(40 * i))
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (64, 48))
    for i in range(5):
        writer.write(picture(50 * i, 64, 48))
    writer.release()
    for path in (tmp_path / "drive.mcap", tmp_path, tmp_path / "clip.avi"):
        with open_source(str(path)) as source:
            frames = list(source.frames())
            assert len(frames) == 5
            for index in (3, 0, 4, 1, 2, 2):
                again = source.read(frames[index].stamp_ns, frames[index].received_ns)
                difference = np.abs(again.array.astype(int) - frames[index].pixels.array).max()
                assert difference == 0 and again.layout == frames[index].pixels.layout, (
                    path.name,
                    index,
                    difference,
                )
            with pytest.raises(SourceError):
                source.read(frames[-1].stamp_ns + 10**10, frames[-1].received_ns + 10**10)
