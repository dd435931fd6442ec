# SPDX-License-Identifier: Apache-2.0
"""Corners followed through a recording, as pixels in its keyframes."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from monodepth_ros.geometry.corner_flow import follow_corners
from monodepth_ros.odometry.corners import find_corners

POINTS = 500  # number of corners to follow
MAX_WIDTH = 1280  # wider images are scaled down [pixels]
KEYFRAME_FLOW = 0.004  # median flow between keyframes, as a share of the image's width
WINDOW = (17, 17)  # patch compared by the optical flow [pixels]
TOLERANCE = 0.5  # largest distance between a corner and the flow there and back [pixels]
SEGMENT = 30  # largest number of keyframes in a segment
MIN_SEGMENT = 6
MAX_SEGMENTS = 8  # those in which the camera turned most are kept
MIN_SIGHTINGS = 4  # number of keyframes that a point must be seen in
MIN_KEPT = 3  # number of sightings below which a point is dropped later
MIN_SHARED = 40  # corners that must survive from one keyframe to the next; fewer end the segment


@dataclass(frozen=True, eq=False)
class Segment:
    """Corners followed through successive keyframes.

    point, frame: (K,) indices, sorted by point. pixel: (K, 2). points, frames: how many there are of each. images:
    (H, W) uint8 of the keyframes, if they are known.
    """

    point: np.ndarray
    frame: np.ndarray
    pixel: np.ndarray
    points: int
    frames: int
    images: tuple[np.ndarray, ...] = ()

    def select(self, kept: np.ndarray) -> tuple["Segment", np.ndarray]:
        """The segment with some of its sightings, (K,) bool, and the points (P,) bool that it still has.

        Points with fewer than MIN_KEPT sightings are dropped, and the others are numbered anew.
        """
        has_enough = np.bincount(self.point[kept], minlength=self.points) >= MIN_KEPT
        kept = kept & has_enough[self.point]
        numbers = np.cumsum(has_enough) - 1
        segment = replace(
            self,
            point=numbers[self.point[kept]],
            frame=self.frame[kept],
            pixel=self.pixel[kept],
            points=int(has_enough.sum()),
        )
        return segment, has_enough

    def thinned(self, count: int) -> "Segment":
        """The segment with about `count` of its points, or with all if it has fewer."""
        stride = max(1, round(self.points / count))
        return self.select(self.point % stride == 0)[0]

    @property
    def turn(self) -> float:
        """Motion of the whole image from the first keyframe to the last [pixels]: large where the camera turned."""
        total = np.zeros(2)
        same = np.flatnonzero((self.point[1:] == self.point[:-1]) & (self.frame[1:] == self.frame[:-1] + 1))
        step, frame = self.pixel[same + 1] - self.pixel[same], self.frame[same]
        for earlier in range(self.frames - 1):
            if (frame == earlier).any():
                total += np.median(step[frame == earlier], axis=0)
        return float(np.linalg.norm(total))


class Tracker:
    """Follows corners from frame to frame and notes their pixels in keyframes.

    Corners found in a keyframe are located again in each later one from the keyframe before, so that errors add up per
    keyframe and not per frame. After SEGMENT keyframes a new segment begins, which has its own points.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.frames = 0
        self._size: tuple[int, int] | None = None
        self._key: np.ndarray | None = None  # image of the last keyframe
        self._last = np.zeros((0, 0), np.uint8)
        self._rows: list[np.ndarray] = []
        self._images: list[np.ndarray] = []

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [pixels] of the images that are tracked."""
        assert self._size is not None
        return self._size

    def add(self, gray: np.ndarray) -> None:
        """Follow the corners into the next image (H, W) uint8."""
        gray = _limited(gray)
        self._size = gray.shape[1], gray.shape[0]
        if self._key is None or self._last.shape != gray.shape:
            self.end_segment()
            self._begin(gray)
        else:
            self._follow(gray)
        self._last = gray
        self.frames += 1

    def end_segment(self) -> None:
        """Close the current segment, and keep it if it is long enough."""
        if len(self._rows) >= MIN_SEGMENT:
            segment = _segment(self._rows, tuple(self._images))
            if segment.points:
                self.segments.append(segment)
            if len(self.segments) > MAX_SEGMENTS:
                self.segments.remove(min(self.segments, key=lambda segment: segment.turn))
        self._rows, self._images, self._key = [], [], None

    def _begin(self, gray: np.ndarray) -> None:
        self._next = 0
        self._ids, self._pixels = np.zeros(0, int), np.zeros((0, 2), np.float32)
        self._keep_keyframe(gray)

    def _keep_keyframe(self, gray: np.ndarray) -> None:
        """Note the corners' pixels in this image, after new ones have been found in it."""
        new = find_corners(gray, self._pixels, POINTS)
        self._ids = np.concatenate([self._ids, self._next + np.arange(len(new))])
        self._next += len(new)
        self._pixels = np.concatenate([self._pixels, new])
        self._rows.append(np.column_stack([self._ids, self._pixels]))
        self._images.append(gray)
        self._key, self._key_pixels = gray, self._pixels.copy()

    def _follow(self, gray: np.ndarray) -> None:
        pixels, found = follow_corners(self._last, gray, self._pixels, WINDOW, TOLERANCE)
        flow = np.linalg.norm(pixels - self._key_pixels, axis=1)[found]
        self._ids, self._pixels, self._key_pixels = self._ids[found], pixels[found], self._key_pixels[found]
        if len(flow) < MIN_SHARED:
            self.end_segment()
            self._begin(gray)
            return
        if np.median(flow) < KEYFRAME_FLOW * gray.shape[1]:
            return
        self._locate(gray)
        if len(self._rows) == SEGMENT:
            self.end_segment()
            self._begin(gray)
        else:
            self._keep_keyframe(gray)

    def _locate(self, gray: np.ndarray) -> None:
        """Locate the corners again from the last keyframe's image, starting at the pixels they were followed to."""
        if self._key is None or not len(self._pixels):
            return
        start = self._pixels.reshape(-1, 1, 2).copy()
        there, status, _ = cv2.calcOpticalFlowPyrLK(
            self._key,
            gray,
            self._key_pixels.reshape(-1, 1, 2),
            start,
            winSize=WINDOW,
            maxLevel=1,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        there = there.reshape(-1, 2)
        found = (status.reshape(-1) > 0) & (np.linalg.norm(there - self._pixels, axis=1) < 1.5)
        self._ids, self._pixels, self._key_pixels = self._ids[found], there[found], self._key_pixels[found]


def _segment(rows: list[np.ndarray], images: tuple[np.ndarray, ...]) -> Segment:
    """The segment of the keyframes' rows of (id, u, v), without points seen in fewer than MIN_SIGHTINGS of them."""
    table = np.concatenate(rows)
    frame = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    ids = table[:, 0].astype(int)
    order = np.lexsort((frame, ids))
    ids, frame, pixel = ids[order], frame[order], table[order, 1:]
    kept = np.bincount(ids)[ids] >= MIN_SIGHTINGS
    _, point = np.unique(ids[kept], return_inverse=True)
    return Segment(point, frame[kept], pixel[kept], int(point.max(initial=-1)) + 1, len(rows), images)


def _limited(gray: np.ndarray) -> np.ndarray:
    height, width = gray.shape
    if width <= MAX_WIDTH:
        return gray
    return cv2.resize(gray, (MAX_WIDTH, round(height * MAX_WIDTH / width)), interpolation=cv2.INTER_AREA)
