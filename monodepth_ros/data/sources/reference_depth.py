# SPDX-License-Identifier: Apache-2.0
"""The choice of a recording's reference depth for the images of one camera: a depth image topic or a LiDAR's clouds."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransformError, StaticTransforms
from monodepth_ros.data.cameras.info_camera import ImagesOf, camera_of_info
from monodepth_ros.data.cameras.topics import image_streams, matching_camera_info, may_be_depth
from monodepth_ros.data.depth.cloud_depth import cloud_points, depth_of_points
from monodepth_ros.data.depth.compressed_depth import decode_compressed_depth
from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.data.depth.depth_reprojection import DepthReprojection
from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.sources.reference_topics import (
    NONE,
    POINT_CLOUD,
    cloud_topics,
    depth_topics,
    is_estimated_name,
    undecided_topics,
)
from monodepth_ros.foreign_text import few, shown
from monodepth_ros.geometry.camera import CalibrationError, CameraModel

REGISTERED, REPROJECTED, CLOUD = "registered", "reprojected", "points"
# Cameras of registered images agree to this share of the image's size.
FARTHEST_MEDIAN = 200.0  # m, of a depth image
SAME_CAMERA = 0.01


@dataclass(frozen=True)
class ImageCamera:
    """The camera whose images get a reference.

    topic, frame_id: of its images. model: the calibration in use, None if unknown. published: that of its camera_info,
    which a depth camera copies for registered depth; it differs from `model` if the user gives a calibration.
    """

    topic: str
    frame_id: str
    model: CameraModel | None
    published: CameraModel | None = None


@dataclass(eq=False)
class ReferenceDepth:
    """Reference depth of a camera from one topic.

    kind: REGISTERED (the pixels are those of the camera), REPROJECTED or CLOUD. camera: of a reprojected depth image.
    T_camera_depth: (4, 4) [m].
    """

    topic: str
    kind: str
    count: int
    T_camera_depth: np.ndarray
    camera: CameraModel | None = None
    _reprojections: dict[tuple, DepthReprojection] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The topic, the way to its pixels, and the number of messages."""
        way = {
            REPROJECTED: "reprojected by its calibration and TF",
            CLOUD: "points, not corrected for motion in a sweep",
        }
        unit = "clouds" if self.kind == CLOUD else "images"
        return f"{shown(self.topic)} ({way.get(self.kind, self.kind)}, {self.count} {unit})"

    def depth(self, message: Any, camera: CameraModel) -> np.ndarray | None:
        """Depth (H, W) float32 [m] at the pixels of `camera`'s images, NaN where unknown; None without a calibration.

        Raises ImageError or CloudError for a message that cannot be used.
        """
        if self.kind == CLOUD:
            if not camera.is_calibrated:
                return None
            return depth_of_points(cloud_points(message), self.T_camera_depth, camera)
        depth = decode_any_depth(message)
        if self.kind == REGISTERED:
            return at_size(depth, camera.width, camera.height)
        if not camera.is_calibrated or self.camera is None:
            return None
        self.camera.check_size(depth.shape[1], depth.shape[0], f"the camera_info of {self.topic}")
        if camera.key not in self._reprojections:
            self._reprojections[camera.key] = DepthReprojection(self.camera, camera, self.T_camera_depth)
        return self._reprojections[camera.key](depth)


@dataclass(frozen=True)
class DepthChoice:
    """The reference depth to use, None for none. others: topics to choose instead. notes: why topics cannot be used.

    passed_over: why topics are not even tried.
    """

    chosen: ReferenceDepth | None
    others: list[str]
    notes: list[str]
    passed_over: tuple[str, ...] = ()


def choose_depth(recording: Recording, name: str, image: ImageCamera, transforms: StaticTransforms) -> DepthChoice:
    """Choose the reference depth of a camera.

    name: a topic, NONE, or '' for the registered depth image (ground truth first), else the depth image of a depth
    camera that static transforms connect with the camera, else the only LiDAR that they connect.

    Raises RecordingError for a named topic that does not exist or cannot be used.
    """
    if name == NONE:
        return DepthChoice(None, [], [])
    images, clouds = depth_topics(recording), cloud_topics(recording, image.frame_id)
    if name:
        chosen = _named(recording, name, image, transforms)
        return DepthChoice(chosen, [topic for topic in (*images, *clouds) if topic != chosen.topic], [])
    usable, reasons, passed_over = _usable(recording, [*images, *clouds], image, transforms)
    order = [REGISTERED, REPROJECTED, CLOUD]
    usable.sort(key=lambda reference: order.index(reference.kind))
    chosen, notes = next(iter(usable), None), []
    if chosen is not None and chosen.kind == CLOUD and len(usable) > 1:
        names = " or ".join(f"--depth-topic {reference.topic}" for reference in usable)
        chosen, notes = None, [f"no reference depth: several point clouds are possible ({names})"]
    if chosen is None:
        notes += reasons
    others = [reference.topic for reference in usable if reference is not chosen]
    return DepthChoice(chosen, others, notes, tuple(passed_over))


def _usable(
    recording: Recording, topics: list[str], image: ImageCamera, transforms: StaticTransforms
) -> tuple[list[ReferenceDepth], list[str], list[str]]:
    """References from those topics that can be used, the reasons against others, and why the rest is not tried."""
    found, reasons = [], []
    passed_over = [f"{name}: {why} (--depth-topic takes it)" for name, why in undecided_topics(recording).items()]
    streams = image_streams(recording) if topics else []
    others = {_frame(recording, stream.image) for stream in streams if stream.image != image.topic}
    for topic in topics:
        # Depth in the frame of another camera is that camera's reference.
        if (frame := _frame(recording, topic)) != image.frame_id.lstrip("/") and frame in others:
            passed_over.append(f"{topic} is in frame {frame!r} of another camera (--depth-topic {topic} takes it)")
            continue
        if is_estimated_name(topic):
            passed_over.append(f"{topic} is an estimate by its name (--depth-topic takes it)")
            continue
        try:
            found.append(_reference(recording, topic, image, transforms))
        except RecordingError as error:
            reasons.append(str(error))
    return found, reasons, passed_over


def _named(recording: Recording, name: str, image: ImageCamera, transforms: StaticTransforms) -> ReferenceDepth:
    topic = recording.topic(name)
    is_image = may_be_depth(recording, topic.name)
    if not is_image and not (topic.count and topic.type == POINT_CLOUD):
        others = few([*depth_topics(recording), *cloud_topics(recording, image.frame_id)])
        raise RecordingError(
            f"topic {topic.name} holds {topic.count} {topic.type} and no depth: expected depth images (16UC1, 32FC1,"
            f" compressedDepth) or {POINT_CLOUD} (there: {others or 'none'})"
        )
    return _reference(recording, topic.name, image, transforms)


def _reference(recording: Recording, topic: str, image: ImageCamera, transforms: StaticTransforms) -> ReferenceDepth:
    """The reference from a topic. Raises RecordingError, which names the condition that it does not meet."""
    count, is_cloud = recording.topics[topic].count, recording.topics[topic].type == POINT_CLOUD
    frame = _frame(recording, topic)
    T_camera_depth = _transform(topic, frame, image, transforms)
    if is_cloud:
        return ReferenceDepth(topic, CLOUD, count, T_camera_depth)
    first = recording.first(topic)
    try:
        depth = decode_any_depth(first)
    except ImageError as error:
        raise RecordingError(f"depth topic {topic}: {error}") from None
    if _are_millimetres(depth):
        raise RecordingError(
            f"depth topic {topic} has a median of {np.nanmedian(depth):.0f} in whole numbers: they look like"
            " millimetres, and depth of floats is expected in metres; publish it as 16UC1, or divided by 1000"
        )
    height, width = depth.shape
    camera = _depth_camera(recording, topic)
    is_same_place = bool(np.abs(T_camera_depth - np.eye(4)).max() < 1e-6)
    is_measured = image.model is not None and image.model.is_calibrated
    own = image.published if image.published is not None and image.published.is_calibrated else image.model
    is_same_camera = camera is None or not is_measured or _is_same_camera(camera, own)
    fits = image.model is None or _factor((width, height), (image.model.width, image.model.height))
    if is_same_place and is_same_camera and fits:
        return ReferenceDepth(topic, REGISTERED, count, T_camera_depth)
    what = f"depth topic {topic} is in frame {frame!r}, the image in {image.frame_id!r}"
    if is_same_place and image.model is not None:
        what = f"depth topic {topic} has {width}x{height} pixels, the image {image.model.width}x{image.model.height}"
    if camera is None:
        raise RecordingError(f"{what}, and the depth has no camera_info: record it, or align depth to the image")
    if not is_measured:
        raise RecordingError(f"{what}, which is not calibrated: give --calibration FILE, or align depth to the image")
    return ReferenceDepth(topic, REPROJECTED, count, T_camera_depth, camera)


def _transform(topic: str, frame: str, image: ImageCamera, transforms: StaticTransforms) -> np.ndarray:
    if frame == image.frame_id.lstrip("/"):
        return np.eye(4)
    try:
        return transforms.lookup(image.frame_id, frame)
    except StaticTransformError as error:
        raise RecordingError(
            f"depth topic {topic} is in frame {frame!r}, the image in {image.frame_id!r}, and no transform joins them:"
            f" {error}; record /tf_static, or let the driver align depth to the image"
        ) from None


def _depth_camera(recording: Recording, topic: str) -> CameraModel | None:
    info = matching_camera_info(recording, topic)
    try:
        camera = camera_of_info(recording.first(info), ImagesOf(topic, info)).model if info else None
    except CalibrationError:
        return None
    return camera if camera is not None and camera.is_calibrated else None


def _are_millimetres(depth: np.ndarray) -> bool:
    """Whether what was read as metres (H, W) are whole numbers, and most of them beyond the range of any camera."""
    known = depth[np.isfinite(depth) & (depth > 0)]
    return known.size > 0 and float(np.median(known)) > FARTHEST_MEDIAN and bool((known == np.round(known)).all())


def _is_same_camera(a: CameraModel, b: CameraModel) -> bool:
    sides = np.array([(camera.width, camera.height) * 2 for camera in (a, b)])
    intrinsics = np.array([(camera.fx, camera.fy, camera.cx + 0.5, camera.cy + 0.5) for camera in (a, b)])
    return bool(np.abs(np.diff(intrinsics / sides, axis=0)).max() < SAME_CAMERA)


def _frame(recording: Recording, topic: str) -> str:
    return recording.first(topic).header.frame_id.lstrip("/")


def _factor(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Whether one size is the other times a whole number."""
    (small, large) = sorted((size, wanted))
    return large[0] % small[0] == 0 and large[0] // small[0] * small[1] == large[1]


def decode_any_depth(message: Any) -> np.ndarray:
    """Depth [m], float32 (H, W), of a depth message, compressed or not; ImageError if it is none."""
    return decode_depth(message) if hasattr(message, "encoding") else decode_compressed_depth(message)


def at_size(depth: np.ndarray, width: int, height: int) -> np.ndarray:
    """Depth images whose size is a whole multiple or part of width x height at that size, by the nearest pixel.

    Raises ImageError for another size.
    """
    rows, columns = depth.shape
    if not _factor((columns, rows), (width, height)):
        raise ImageError(
            f"depth image of {columns}x{rows} for an image of {width}x{height}: expected a whole multiple or part"
        )
    if columns >= width:
        step = columns // width
        return depth[step // 2 :: step, step // 2 :: step]
    step = width // columns
    return depth.repeat(step, axis=0).repeat(step, axis=1)
