# SPDX-License-Identifier: Apache-2.0
"""Small recordings of every kind, written by the tests of frame sources."""

import struct

import cv2
import numpy as np

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import make_transform

START_NS = 1_700_000_000_000_000_000
TENTH = 100_000_000
CAMERA = CameraModel.pinhole(8, 6, 5.0, 5.0, 3.5, 2.5)


def picture(value, width=8, height=6):
    return np.full((height, width, 3), value % 256, np.uint8)


def read(path, **options):
    """The source at a path, closed again, and its frames."""
    with open_source(str(path), SourceOptions(**options)) as source:
        return source, list(source.frames())


def write_bag(path, count=5, cameras=("camera",), reference=True, info=True):
    """Images at 10 Hz, calibration, a camera 1 m above base_link, reference depth, odometry at 20 Hz and 1 m/s."""
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
        if reference:
            bag.add_topic("/ground_truth/depth", "sensor_msgs/msg/Image")
            bag.add_topic("/ground_truth/odometry", "nav_msgs/msg/Odometry")
        for i in range(count):
            stamp_ns = START_NS + i * TENTH
            for name in cameras:
                header = messages.header(stamp_ns, f"{name}_optical")
                bag.write(f"/{name}/image_raw", stamp_ns + 1000, messages.image(header, picture(i), "rgb8"))
                if info:  # the calibration comes after its image here
                    bag.write(f"/{name}/camera_info", stamp_ns + 2000, messages.camera_info(header, CAMERA))
            if reference:
                header = messages.header(stamp_ns, f"{cameras[0]}_optical")
                depth = np.full((6, 8), 1.0 + i, np.float32)
                bag.write("/ground_truth/depth", stamp_ns + 3000, messages.image(header, depth, "32FC1"))
            for half in (0, 1) if reference else ():
                at_ns = stamp_ns + half * TENTH // 2 - TENTH // 4
                pose = make_transform(np.eye(3), ((at_ns - START_NS) * 1e-9, 0, 0))
                zero = np.eye(6) * 1e-9
                odometry = messages.odometry(
                    messages.header(at_ns, "world"), "base_link", pose, zero, np.zeros(6), zero
                )
                bag.write("/ground_truth/odometry", at_ns, odometry)
    return path


def write_kitti_sequence(folder):
    """An odometry sequence of three images of cameras 0 to 2, with poses 1 m apart."""
    for number in (0, 1, 2):
        (folder / f"image_{number}").mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(folder / f"image_{number}" / f"{i:06d}.png"), picture(10 * number + i))
    rows = [f"P{n}: 5 0 3.5 {-5 * n} 0 5 2.5 0 0 0 1 0" for n in range(4)]
    (folder / "calib.txt").write_text("\n".join(rows) + "\n")
    (folder / "times.txt").write_text("0.0\n0.1\n0.2\n")
    (folder / "poses.txt").write_text("".join(f"1 0 0 0 0 1 0 0 0 0 1 {i}\n" for i in range(3)))
    return folder


def write_kitti_drive(folder):
    """A raw drive of two images of one camera; its calibration lies above it, and the second image has depth."""
    drive = folder / "2011_09_26_drive_0001_sync"
    (drive / "image_02" / "data").mkdir(parents=True)
    (drive / "proj_depth" / "groundtruth" / "image_02").mkdir(parents=True)
    for i in range(2):
        cv2.imwrite(str(drive / "image_02" / "data" / f"{i:010d}.png"), picture(i))
    counts = np.zeros((6, 8), np.uint16)
    counts[2, 3] = 2560
    cv2.imwrite(str(drive / "proj_depth" / "groundtruth" / "image_02" / "0000000001.png"), counts)
    (folder / "calib_cam_to_cam.txt").write_text("calib_time: 09-Jan-2012\nP_rect_02: 5 0 3.5 0 0 5 2.5 0 0 0 1 0\n")
    stamps = "2011-09-26 13:02:25.500000000\n2011-09-26 13:02:25.603000123\n"
    (drive / "image_02" / "timestamps.txt").write_text(stamps)
    return drive


def write_video(path, values, rate):
    """A film of plain grey images of 64x48 pixels."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (64, 48))
    for value in values:
        writer.write(picture(value, 64, 48))
    writer.release()
    return path


def write_varying_film(path, count, rate):
    """An MP4 whose second half has twice the rate, as phones write them; each image shows its number, see `number_in`.

    OpenCV writes a film of constant rate, whose table of times (stts) is then given a second row.
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, (64, 48))
    for i in range(count):
        image = picture(0, 64, 48)
        for row in range(3):
            image[16 * row : 16 * row + 16] = 30 * (i // 8**row % 8)
        writer.write(image)
    writer.release()
    data = bytearray(path.read_bytes())
    table = data.index(b"stts") - 4
    delta = struct.unpack_from(">I", data, table + 20)[0]
    rows = (2, count // 2, delta, count - count // 2, delta // 2)
    data[table : table + 24] = struct.pack(">I4sI5I", 32, b"stts", 0, *rows)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        size = data.index(box) - 4
        struct.pack_into(">I", data, size, struct.unpack_from(">I", data, size)[0] + 8)
    path.write_bytes(data)
    return path


def number_in(image):
    """The number that an image of `write_varying_film` shows."""
    return sum(8**row * round(float(image[16 * row : 16 * row + 16].mean()) / 30) for row in range(3))
