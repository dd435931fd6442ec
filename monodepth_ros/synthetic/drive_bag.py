# SPDX-License-Identifier: Apache-2.0
"""A drive as a rosbag2: images, calibration, static transforms, ground-truth odometry and depth."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform
from monodepth_ros.synthetic.depth_camera import measured_depth
from monodepth_ros.synthetic.drive import Camera, Drive, Frame

EPOCH_NS = 1_700_000_000_000_000_000
TRANSPORT_NS = 2_000_000  # time from a message's stamp to its reception
EXACT = 1e-9  # variance of exact values; consumers read zero as unknown
JPEG_QUALITY = 93
THREADS = 2  # NumPy and OpenCV release Python's lock for large arrays
WORLD, BASE = "world", "base_link"
ODOMETRY, DEPTH, IMU = "/ground_truth/odometry", "/ground_truth/depth", "/imu"
MEASURED_DEPTH = "/{camera}/aligned_depth_to_color/image_raw"
IMU_RATE = 100  # Hz
T_LINK_OPTICAL = make_transform(R_BODY_OPTICAL, (0, 0, 0))


def write_drive(
    drive: Drive,
    path: str | Path,
    storage: str = "",
    compressed: bool = False,
    imu: bool = False,
    depth_camera: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
    replace: bool = False,
) -> Iterator[int]:
    """Write all frames to a new bag. Yields the number of frames written after each; consume it to the end.

    A camera called <name> gives /<name>/image_raw and /<name>/camera_info, with frames <name>_link and
    <name>_optical_frame. Depth is that of the first camera. imu: add exact rates of base_link on /imu at IMU_RATE.
    depth_camera: add MEASURED_DEPTH, the depth that a depth camera would align to the first camera.
    is_stopped: asked after each frame; once it is true, the bag ends there. replace: a recording at the path.
    Raises RecordingError, see BagWriter.
    """
    with BagWriter(path, storage, replace=replace) as bag:
        names = {name: _topics(name, compressed) for name in drive.cameras}
        for image_topic, info_topic in names.values():
            bag.add_topic(image_topic, f"sensor_msgs/msg/{'CompressedImage' if compressed else 'Image'}")
            bag.add_topic(info_topic, "sensor_msgs/msg/CameraInfo")
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
        bag.add_topic(ODOMETRY, "nav_msgs/msg/Odometry")
        bag.add_topic(DEPTH, "sensor_msgs/msg/Image")
        measured = MEASURED_DEPTH.format(camera=next(iter(names))) if depth_camera else ""
        if measured:
            bag.add_topic(measured, "sensor_msgs/msg/Image")
        if imu:
            bag.add_topic(IMU, "sensor_msgs/msg/Imu")
        transforms = [t for name, camera in drive.cameras.items() for t in _mount(name, camera)]
        bag.write("/tf_static", EPOCH_NS, messages.transforms(transforms))
        frames = _rendered_ahead(drive)
        for index in range(len(drive)):
            if imu:
                for k in range(round(index * IMU_RATE / drive.rate), round((index + 1) * IMU_RATE / drive.rate)):
                    bag.write(IMU, *_rates(drive, k / IMU_RATE))
            stamp_ns = EPOCH_NS + round(drive.time(index) * 1e9)
            for k, (name, (image_topic, info_topic)) in enumerate(names.items()):
                frame = next(frames)
                header = messages.header(stamp_ns, f"{name}_optical_frame")
                received_ns = stamp_ns + TRANSPORT_NS
                if k == 0:
                    bag.write(ODOMETRY, stamp_ns, _odometry(drive, frame, stamp_ns))
                bag.write(info_topic, received_ns, messages.camera_info(header, drive.cameras[name].model))
                bag.write(image_topic, received_ns, _image(header, frame.image, compressed))
                if k == 0:
                    bag.write(DEPTH, received_ns, messages.image(header, frame.depth, "32FC1"))
                    if measured:
                        depth = measured_depth(frame.depth, drive.seed * 100_003 + index)
                        bag.write(measured, received_ns, messages.image(header, depth, "16UC1"))
            yield index + 1
            if is_stopped():
                break


def _rendered_ahead(drive: Drive) -> Iterator[Frame]:
    """Yield the frames of all cameras in order of time; later ones are rendered while the caller writes."""
    jobs = [(index, name) for index in range(len(drive)) for name in drive.cameras]
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = deque(pool.submit(drive.frame, *job) for job in jobs[: 2 * THREADS])
        try:
            for job in range(len(jobs)):
                yield waiting.popleft().result()
                if job + 2 * THREADS < len(jobs):
                    waiting.append(pool.submit(drive.frame, *jobs[job + 2 * THREADS]))
        finally:
            pool.shutdown(cancel_futures=True)


def _topics(camera: str, compressed: bool) -> tuple[str, str]:
    return f"/{camera}/image_raw{'/compressed' if compressed else ''}", f"/{camera}/camera_info"


def _image(header: Any, picture: np.ndarray, compressed: bool) -> Any:
    if not compressed:
        return messages.image(header, picture, "rgb8")
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return messages.compressed_image(header, "rgb8; jpeg compressed bgr8", jpeg.ravel())


def _mount(name: str, camera: Camera) -> list[Any]:
    """Transforms base_link -> <name>_link (body axes) -> <name>_optical_frame."""
    T_base_link = camera.T_base_camera @ np.linalg.inv(T_LINK_OPTICAL)
    link = f"{name}_link"
    return [
        messages.transform_stamped(messages.header(EPOCH_NS, BASE), link, T_base_link),
        messages.transform_stamped(messages.header(EPOCH_NS, link), f"{name}_optical_frame", T_LINK_OPTICAL),
    ]


def _rates(drive: Drive, time: float) -> tuple[int, Any]:
    """Stamp [ns] and sensor_msgs/Imu at a time [s]."""
    stamp_ns = EPOCH_NS + round(time * 1e9)
    return stamp_ns, messages.imu(messages.header(stamp_ns, BASE), drive.trajectory.twist(time)[3:], EXACT)


def _odometry(drive: Drive, frame: Frame, stamp_ns: int) -> Any:
    exact = EXACT * np.eye(6)
    twist = drive.trajectory.twist(frame.time)
    return messages.odometry(messages.header(stamp_ns, WORLD), BASE, frame.T_world_base, exact, twist, exact)
