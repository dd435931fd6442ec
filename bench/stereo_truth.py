# SPDX-License-Identifier: Apache-2.0
"""True depth of a stereo recording by block matching with the known baseline."""

import cv2
import numpy as np

from bench.errors import BenchError
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceFrame, SourceOptions
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.resample import Resampler

DISPARITIES, BLOCK = 64, 5  # pixels
SMALLEST = 1.0  # disparity [px] below which the depth says nothing


def stereo_frames(
    path: str, partner: SourceOptions | None, count: int
) -> list[tuple[CameraModel, np.ndarray, np.ndarray]]:
    """Rectified camera, rgb and depth [m], 0 where unknown, of about `count` pairs; BenchError without a pair."""
    if partner is None:
        raise BenchError(f"{path}: neither depth nor a second camera to measure against")
    with open_source(path, SourceOptions()) as left, open_source(path, partner) as right:
        pairs = list(zip(left.frames(), right.frames(), strict=False))
    return [_pair(one, other) for one, other in pairs[:: max(1, len(pairs) // count)]]


def _pair(left: SourceFrame, right: SourceFrame) -> tuple[CameraModel, np.ndarray, np.ndarray]:
    rectified = left.camera.rectified()
    baseline = right.camera.baseline - left.camera.baseline
    matcher = cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=DISPARITIES,
        blockSize=BLOCK,
        P1=8 * 3 * BLOCK**2,
        P2=32 * 3 * BLOCK**2,
        disp12MaxDiff=1,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=2,
    )
    images, valid = [], np.ones((rectified.height, rectified.width), bool)
    for frame in (left, right):
        resampler = Resampler(frame.camera, frame.camera.rectified(), "bilinear")
        images.append(resampler(to_rgb(frame.pixels.array, frame.pixels.layout)))
        if frame is left and resampler.valid is not None:
            valid = resampler.valid
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
    disparity = matcher.compute(*gray).astype(np.float32) / 16
    depth = np.where(valid & (disparity > SMALLEST), rectified.fx * baseline / np.maximum(disparity, SMALLEST), 0.0)
    return rectified, images[0], depth.astype(np.float32)
