# SPDX-License-Identifier: Apache-2.0
"""Which camera_info belongs to an image topic: by namespace and name, then by the frame if that is unambiguous."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.first_images import FirstImage
from monodepth_ros.data.cameras.info_names import Closeness, closeness
from monodepth_ros.foreign_text import few

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
SAME_ASPECT = 0.02


@dataclass(frozen=True)
class InfoChoice:
    """The camera_info of an image topic, '' for none. note: why this one of several; missing: what there is instead."""

    topic: str
    note: str = ""
    missing: str = ""


class InfoChooser:
    """Chooses the camera_info of the image topics of a recording.

    Order: in the image's namespace (with the image's words in its name, as camera_info_raw for image_raw_color), in a
    sibling (image/data, info/camera_info), with the same words in its name (cam0_info for cam0/image_raw), in the
    namespace above if there is no other camera in it, and last with the image's frame_id. A camera_info that by its
    name belongs to another camera is not taken, nor one by a frame_id that several cameras share. One of another size
    and aspect than the images gives way to any other.
    """

    def __init__(self, recording: Recording):
        self._recording = recording
        self._infos = [topic.name for topic in recording.topics.values() if topic.type == CAMERA_INFO and topic.count]

    def choose(self, image: FirstImage, cameras: Sequence[FirstImage], depth: Sequence[FirstImage]) -> InfoChoice:
        """The camera_info of an image topic. cameras, depth: topics of other cameras, and of depth images."""
        if not self._infos:
            return InfoChoice("", missing="no camera_info in the recording")
        others = [*cameras, *depth]
        found = [(near, info) for info in self._infos if (near := closeness(image.base, info, _bases(others)))]
        named = sorted(item for item in found if not self._is_of_other(image, *item, others))
        return self._by_name(image, named) if named else self._by_frame(image, cameras, depth)

    def _by_name(self, image: FirstImage, named: list[tuple[Closeness, str]]) -> InfoChoice:
        closest, first = named[0]
        if len(named) == 1 and closest.is_beside:
            return InfoChoice(first)  # of another size, it is refused with both sizes, image by image
        fitting = [(near, info) for near, info in named if fits_size(image.size, self._recording.first(info))]
        if not fitting:
            return InfoChoice(first) if closest.is_beside else self._unfit(image, first)
        best = [info for near, info in fitting if near == fitting[0][0]]
        if len(best) == 1:
            return InfoChoice(best[0])
        best.sort(key=lambda info: self._frame(info) != image.frame)
        note = f"{' and '.join(best)} fit {image.topic} by their names: {best[0]} is used (--camera-info chooses)"
        return InfoChoice(best[0], note=note)

    def _is_of_other(self, image: FirstImage, near: Closeness, info: str, others: Sequence[FirstImage]) -> bool:
        """Whether a camera_info is closer to another camera by name, or as close to one of its frame."""
        theirs = [(nearer, other) for other in others if (nearer := closeness(other.base, info))]
        if any(nearer < near for nearer, _ in theirs):
            return True
        same = [other.frame for nearer, other in theirs if nearer == near]
        return bool(same) and (frame := self._frame(info)) != image.frame and frame in same

    def _by_frame(self, image: FirstImage, cameras: Sequence[FirstImage], depth: Sequence[FirstImage]) -> InfoChoice:
        frame, infos = image.frame, self._infos
        of_frame = [info for info in infos if self._frame(info) == frame]
        if not of_frame and not cameras and len(infos) == 1 and (not frame or not self._frame(infos[0])):
            of_frame = infos  # one camera, one camera_info, and no frame to tell otherwise
        # Registered depth has the calibration of the camera that it is registered to.
        others = [*cameras, *(other for other in depth if not _is_registered(other))]
        owners = {info: owner for info in of_frame if (owner := _owner(info, others)) is not None}
        free = [info for info in of_frame if info not in owners]
        fitting = [info for info in free if fits_size(image.size, self._recording.first(info))]
        sharing = [camera for camera in cameras if camera.frame == frame]
        if len(fitting) == 1 and not sharing:
            return InfoChoice(fitting[0])
        if free and not fitting:
            return self._unfit(image, free[0])
        if fitting:
            why = (
                f"{sharing[0].topic} has the same frame_id {frame!r}" if sharing else f"several have frame_id {frame!r}"
            )
            why += f" ({few([f'--camera-info {info}' for info in fitting], joint=' or ')} takes one)"
        elif owners:
            info, owner = next(iter(owners.items()))
            why = f"{info} belongs to {owner.topic}, which has the same frame_id {frame!r}"
        else:
            why = f"there is {few(infos)} (--camera-info TOPIC takes one)"
        return InfoChoice("", missing=f"no camera_info of {image.topic} in the recording: {why}")

    def _unfit(self, image: FirstImage, info: str) -> InfoChoice:
        first, (width, height) = self._recording.first(info), image.size or (0, 0)
        sizes = f"{info} is for {first.width}x{first.height}, the images are {width}x{height}"
        return InfoChoice("", missing=f"no camera_info of {image.topic} in the recording: {sizes}")

    def _frame(self, info: str) -> str:
        return self._recording.first(info).header.frame_id.lstrip("/")


def fits_size(size: tuple[int, int] | None, info: Any) -> bool:
    """Whether a camera_info can be that of images of this size [pixels]: equal, or of the same aspect.

    True for an unknown size, and for a camera_info that states none.
    """
    if size is None or not (info.width and info.height):
        return True
    full = info.width, info.height
    region = info.roi
    cut = (region.width, region.height) if region.width and region.height else full
    published = cut[0] // max(1, info.binning_x), cut[1] // max(1, info.binning_y)
    if size in (full, cut, published):
        return True
    aspect = size[0] / size[1]
    return any(abs(width / max(1, height) / aspect - 1) < SAME_ASPECT for width, height in (full, published))


def _bases(images: Sequence[FirstImage]) -> list[str]:
    return [image.base for image in images]


def _owner(info: str, others: Sequence[FirstImage]) -> FirstImage | None:
    """The topic, among `others`, that a camera_info belongs to by its name."""
    found = [(near, other.topic, other) for other in others if (near := closeness(other.base, info))]
    return min(found, key=lambda item: item[:2])[2] if found else None


def _is_registered(depth: FirstImage) -> bool:
    name = depth.base.lower()
    return any(word in name for word in ("registered", "aligned", "_to_color", "_to_rgb"))
