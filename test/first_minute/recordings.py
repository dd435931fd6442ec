# SPDX-License-Identifier: Apache-2.0
"""Recordings of a depth camera, a stereo camera, a phone, a dash camera and a drone, as people make them on day one.

All show the synthetic street, through the lens and with the topics, frames and files of such a device.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation, make_transform
from monodepth_ros.synthetic.drive import Camera, Drive, mounted

SEED, RATE = 9411, 10
EPOCH_NS = 1_750_000_000 * 10**9
T_BODY_OPTICAL = make_transform(R_BODY_OPTICAL, (0.0, 0.0, 0.0))
IDENTITY = np.eye(4)
TRANSFORMS = "tf2_msgs/msg/TFMessage"


def pinhole(width: int, height: int, degrees: float) -> CameraModel:
    """Square pixels, the centre in the middle; degrees: horizontal field of view."""
    f = width / 2 / np.tan(np.radians(degrees) / 2)
    return CameraModel.pinhole(width, height, f, f, (width - 1) / 2, (height - 1) / 2)


def tree(*links: tuple[str, str, np.ndarray]) -> Any:
    """A TFMessage of (parent, child, T_parent_child)."""
    made = [messages.transform_stamped(messages.header(EPOCH_NS, parent), child, T) for parent, child, T in links]
    return messages.transforms(made)


def times(drive: Drive) -> Iterator[tuple[int, int]]:
    for index in range(len(drive)):
        yield index, EPOCH_NS + round(drive.time(index) * 1e9)


def depth_camera(folder: Path, seconds: float) -> Path:
    """As realsense2_camera publishes: 4:3 colour, aligned depth in millimetres with holes, a tree below camera_link."""
    model = pinhole(160, 120, 69.0)
    drive = Drive(SEED, seconds, RATE, {"color": mounted(model, (0.3, 0.0, 0.6))}, traffic=False)
    color, depth = "/camera/camera/color", "/camera/camera/aligned_depth_to_color"
    frame_id, path = "camera_color_optical_frame", folder / "realsense.mcap"
    with BagWriter(path) as bag:
        for base in (color, depth):
            bag.add_topic(f"{base}/image_raw", "sensor_msgs/msg/Image")
            bag.add_topic(f"{base}/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.add_topic("/tf_static", TRANSFORMS, latched=True)
        links = [
            ("camera_link", "camera_color_frame", make_transform(np.eye(3), (0.0, 0.015, 0.0))),
            ("camera_color_frame", frame_id, T_BODY_OPTICAL),
        ]
        bag.write("/tf_static", EPOCH_NS, tree(*links))
        for index, stamp_ns in times(drive):
            seen, header = drive.frame(index), messages.header(stamp_ns, frame_id)
            millimetres = np.where(seen.depth < 20.0, np.rint(1000 * seen.depth), 0).astype(np.uint16)
            millimetres[:, :8] = 0  # what the second imager does not see
            bag.write(f"{color}/camera_info", stamp_ns, messages.camera_info(header, model))
            bag.write(f"{color}/image_raw", stamp_ns, messages.image(header, seen.image, "rgb8"))
            bag.write(f"{depth}/camera_info", stamp_ns, messages.camera_info(header, model))
            bag.write(f"{depth}/image_raw", stamp_ns, messages.image(header, millimetres, "16UC1"))
    return path


def stereo_camera(folder: Path, seconds: float) -> Path:
    """As zed_wrapper publishes: a rectified 16:9 pair as bgra8, odometry of its own, a tree from base_link down."""
    model, baseline = pinhole(192, 108, 85.0), 0.12
    P = model.P.copy()
    P[0, 3] = -model.fx * baseline
    models = {"left": model, "right": CameraModel(model.width, model.height, K=model.K, P=P)}
    cameras = {name: mounted(models[name], (0.3, y, 0.8)) for name, y in (("left", 0.06), ("right", -0.06))}
    drive, path = Drive(SEED + 1, seconds, RATE, cameras, traffic=False), folder / "zed.mcap"
    with BagWriter(path) as bag:
        for name in cameras:
            bag.add_topic(f"/zed/zed_node/{name}/color/rect/image", "sensor_msgs/msg/Image")
            bag.add_topic(f"/zed/zed_node/{name}/color/rect/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.add_topic("/zed/zed_node/odom", "nav_msgs/msg/Odometry")
        bag.add_topic("/tf_static", TRANSFORMS, latched=True)
        links = [("base_link", "zed_camera_link", make_transform(np.eye(3), (0.3, 0.0, 0.8)))]
        for name, y in (("left", 0.06), ("right", -0.06)):
            body = f"zed_{name}_camera_frame"
            links.append(("zed_camera_link", body, make_transform(np.eye(3), (0.0, y, 0.0))))
            links.append((body, f"{body}_optical", T_BODY_OPTICAL))
        bag.write("/tf_static", EPOCH_NS, tree(*links))
        for index, stamp_ns in times(drive):
            for name in cameras:
                seen, header = drive.frame(index, name), messages.header(stamp_ns, f"zed_{name}_camera_frame_optical")
                topic = f"/zed/zed_node/{name}/color/rect"
                bgra = cv2.cvtColor(seen.image, cv2.COLOR_RGB2BGRA)
                bag.write(f"{topic}/camera_info", stamp_ns, messages.camera_info(header, models[name]))
                bag.write(f"{topic}/image", stamp_ns, messages.image(header, bgra, "bgra8"))
            header, covariance = messages.header(stamp_ns, "odom"), 1e-6 * np.eye(6)
            twist = drive.trajectory.twist(drive.time(index))
            odometry = messages.odometry(header, "base_link", seen.T_world_base, covariance, twist, covariance)
            bag.write("/zed/zed_node/odom", stamp_ns, odometry)
    return path


def film(path: Path, model: CameraModel, seconds: float, seed: int) -> Path:
    """A video file, which holds no calibration."""
    drive = Drive(seed, seconds, RATE, {"camera": mounted(model, (1.0, 0.0, 1.4))}, traffic=False)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, (model.width, model.height))
    for frame in drive:
        writer.write(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def phone(folder: Path, seconds: float) -> Path:
    """Held upright: 9:16."""
    return film(folder / "phone.mp4", pinhole(108, 192, 40.0), seconds, SEED + 2)


def dash_camera(folder: Path, seconds: float) -> Path:
    """16:9, with a wide view."""
    return film(folder / "dashcam.mp4", pinhole(192, 108, 100.0), seconds, SEED + 3)


def drone(folder: Path, seconds: float) -> Path:
    """Compressed images of a fisheye lens that looks down by 20 degrees, with an IMU, 6 m above the ground."""
    f = 70.0
    K = np.array([[f, 0, 79.5], [0, f, 59.5], [0, 0, 1]])
    model = CameraModel(160, 120, K=K, D=np.array([-0.01, 0.005, 0.0, 0.0]), distortion_model="equidistant")
    down = make_transform(axis_angle_to_rotation((0.0, np.radians(20.0), 0.0)), (0.1, 0.0, 6.0))
    drive = Drive(SEED + 4, seconds, RATE, {"camera": Camera(model, down @ T_BODY_OPTICAL)}, traffic=False)
    frame_id, path = "camera_optical", folder / "drone.mcap"
    with BagWriter(path) as bag:
        bag.add_topic("/camera/image_raw/compressed", "sensor_msgs/msg/CompressedImage")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.add_topic("/mavros/imu/data", "sensor_msgs/msg/Imu")
        bag.add_topic("/tf_static", TRANSFORMS, latched=True)
        bag.write("/tf_static", EPOCH_NS, tree(("base_link", frame_id, down @ T_BODY_OPTICAL)))
        for index, stamp_ns in times(drive):
            header = messages.header(stamp_ns, frame_id)
            for k in range(10):
                time = drive.time(index) + k / 100
                at_ns = EPOCH_NS + round(time * 1e9)
                rate = drive.trajectory.twist(time)[3:]
                bag.write("/mavros/imu/data", at_ns, messages.imu(messages.header(at_ns, "base_link"), rate, 1e-6))
            bgr = cv2.cvtColor(drive.frame(index).image, cv2.COLOR_RGB2BGR)
            jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].ravel()
            bag.write("/camera/camera_info", stamp_ns, messages.camera_info(header, model))
            image = messages.compressed_image(header, "rgb8; jpeg compressed bgr8", jpeg)
            bag.write("/camera/image_raw/compressed", stamp_ns, image)
    return path


RECORDINGS: dict[str, Callable[[Path, float], Path]] = {
    "depth camera": depth_camera,
    "stereo camera": stereo_camera,
    "phone": phone,
    "dash camera": dash_camera,
    "drone": drone,
}
