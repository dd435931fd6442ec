# SPDX-License-Identifier: Apache-2.0
"""Scan of a recording's images: exposure, repeated images, parallax, hood."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.data.frame_index import FrameIndex
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.training.inspection.parallax import parallax_share
from monodepth_ros.training.inspection.static_region import StaticRegion, find_static_region

LARGEST_SCAN = 200  # number of frames, evenly over the recording
WIDTH = 320  # of the scaled images [pixels]
REGION_WIDTH = 160  # of the images for the unchanging region [pixels]


@dataclass(frozen=True, eq=False)
class FrameScan:
    """Measurements on M frames of a recording.

    frames: (M,) frame numbers. brightness: (M,) mean grey level. brightness_change: (M,) |log| of the ratio to the
    brightness of the frame before, NaN for a first frame. repeated: (M,) bool, whether the image equals the one before.
    parallax: (M,) share of tracked points whose motion since `step` frames before is no rotation, NaN where not
    measured. region: part of the border that never changes, or None.
    """

    frames: np.ndarray
    brightness: np.ndarray
    brightness_change: np.ndarray
    repeated: np.ndarray
    parallax: np.ndarray
    region: StaticRegion | None


def scan_frames(
    source: FrameSource, index: FrameIndex, targets: np.ndarray, step: int, ignored: np.ndarray | None = None
) -> FrameScan:
    """Scan up to LARGEST_SCAN of `targets`, or of all frames if there are none, and the frames before them.

    ignored: (H, W) bool of the published image, pixels that are left out already.
    """
    scanned = targets if len(targets) else np.arange(len(index))
    scanned = scanned[np.linspace(0, len(scanned) - 1, min(len(scanned), LARGEST_SCAN)).round().astype(int)]
    kept: dict[int, np.ndarray] = {}

    def small(frame: int) -> np.ndarray:
        if frame not in kept:
            for old in [number for number in kept if number < frame - 2 * step - 2]:
                del kept[old]
            kept[frame] = _small(source, index, frame)
        return kept[frame]

    brightness, change, repeated, parallax, tiny = [], [], [], [], []
    for frame in scanned.tolist():
        for number in sorted({max(0, frame - step), max(0, frame - 1), frame}):
            small(number)  # forwards, because videos are slow backwards
        image = small(frame)
        brightness.append(float(image.mean()))
        before = small(frame - 1) if frame > 0 else None
        is_same_size = before is not None and before.shape == image.shape
        change.append(
            abs(np.log(max(brightness[-1], 1.0) / max(float(before.mean()), 1.0))) if is_same_size else np.nan
        )
        repeated.append(is_same_size and np.array_equal(before, image))
        camera = index.cameras[index.camera_ids[frame]]
        earlier = small(frame - step) if len(targets) and frame >= step else None
        is_pair = earlier is not None and earlier.shape == image.shape
        view = camera.assumed().resized(image.shape[1], image.shape[0]) if is_pair else None
        parallax.append(parallax_share(earlier, image, view) if is_pair else np.nan)
        width = min(REGION_WIDTH, image.shape[1])
        size = width, max(1, round(width * image.shape[0] / image.shape[1]))
        tiny.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return FrameScan(
        frames=scanned,
        brightness=np.array(brightness),
        brightness_change=np.array(change),
        repeated=np.array(repeated, bool),
        parallax=np.array(parallax),
        region=_region(tiny, ignored) if len(targets) else None,
    )


def _region(frames: list[np.ndarray], ignored: np.ndarray | None) -> StaticRegion | None:
    stack = np.stack([frame for frame in frames if frame.shape == frames[0].shape])
    if ignored is not None:
        size = stack.shape[2], stack.shape[1]
        ignored = cv2.resize(ignored.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return find_static_region(stack, ignored)


def _small(source: FrameSource, index: FrameIndex, frame: int) -> np.ndarray:
    pixels = source.read(int(index.stamps_ns[frame]), int(index.received_ns[frame]))
    width = min(WIDTH, pixels.size[0])
    size = width, max(1, round(width * pixels.size[1] / pixels.size[0]))
    small = cv2.resize(pixels.array, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(to_rgb(small, pixels.layout), cv2.COLOR_RGB2GRAY)
