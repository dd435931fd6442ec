# SPDX-License-Identifier: Apache-2.0
"""The choice of the camera_info that belongs to an image, where one topic carries those of several cameras."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sensor_msgs.msg import CameraInfo

from monodepth_ros.foreign_text import shown

# One publisher sends for several cameras if two camera_infos replace each other this often, each within RETURN [s].
RETURNS = 2
RETURN = 1.0
# Of different calibrations of one camera, the first is kept until it has not come for this long [s].
FORGET = 10.0
# Cameras of one topic that are remembered, and that are named.
MOST_CAMERAS, NAMED = 16, 4


@dataclass
class _Info:
    message: CameraInfo
    seen: float


class InfoChoice:
    """The newest camera_info, or, if the topic carries those of several cameras, the one that fits an image.

    Cameras are told apart by the frame_id and the size of their camera_info. publishers: number of the topic's
    publishers. With one of them the newest camera_info is the camera's, unless two keep replacing each other: two
    calibrations that alternate would give every image another one.

    newest: the newest message, None before the first one. conflict: if several cameras send, what differs and is used.
    """

    def __init__(self, publishers: Callable[[], int]):
        self._publishers = publishers
        self._infos: dict[tuple, _Info] = {}
        self._newest: tuple | None = None
        self._before: tuple[tuple, float] | None = None
        self._returns = 0
        self._contents: deque[tuple[tuple, float]] = deque(maxlen=2)
        self._alternations = 0
        self.newest: CameraInfo | None = None
        self.conflict = ""

    def take(self, message: CameraInfo, now: float) -> None:
        """Take over a message that arrives now (steady clock [s])."""
        kind, several = self._kind(message), self._publishers() > 1
        known = self._infos.get(kind)
        self._watch_content(kind, message, now)
        keeps_first = known is not None and now - known.seen < FORGET and (several or self._alternations >= RETURNS)
        if known is not None and keeps_first and content(known.message) != content(message):
            self.conflict = f"of different calibrations of {_words(message)} the first is used"
            return
        if not several and self._newest is not None and kind != self._newest:
            is_back = self._before is not None and self._before[0] == kind and now - self._before[1] < RETURN
            self._returns = self._returns + 1 if is_back else 0
            self._before = self._newest, self._infos[self._newest].seen
        is_mixed = several or self._returns >= RETURNS
        oldest = -math.inf if several else now - FORGET
        infos = {key: info for key, info in self._infos.items() if is_mixed and info.seen > oldest}
        infos[kind] = _Info(message, now)
        if len(infos) > MOST_CAMERAS:
            del infos[min(infos, key=lambda key: infos[key].seen)]
        # Whole at once: another thread reads them.
        self._infos, self._newest, self.newest = infos, kind, message
        if len(infos) > 1:
            cameras = " and ".join(_words(info.message) for info in list(infos.values())[:NAMED])
            self.conflict = f"of {cameras} the one is used that fits the images"
        elif not several:
            self.conflict = ""

    def _watch_content(self, kind: tuple, message: CameraInfo, now: float) -> None:
        """Count how often one kind of camera_info goes back to the content before its last one at once."""
        found = kind, content(message)
        contents = [item for item, _ in self._contents]
        if contents and found == contents[-1]:
            self._contents[-1] = found, now
            return
        is_back = len(contents) == 2 and found == contents[0] and kind == contents[1][0]
        is_soon = is_back and now - self._contents[0][1] < RETURN
        last = self._contents[-1][1] if self._contents else -math.inf
        if is_soon:
            self._alternations += 1
        elif now - last >= FORGET or not is_back:
            self._alternations = 0
        self._contents.append((found, now))

    def _kind(self, info: CameraInfo) -> tuple:
        """Frame and size; an empty frame_id is that of any other camera_info of the size."""
        kind = info.header.frame_id, info.width, info.height
        if info.header.frame_id:
            return kind
        return next((known for known in self._infos if known[1:] == kind[1:]), kind)

    def of_image(self, frame_id: str, size: tuple[int, int]) -> CameraInfo | None:
        """The camera_info of images of this frame_id and size [px]; None before the first one."""
        infos = self._infos
        if len(infos) < 2:
            return self.newest
        best = max(infos.values(), key=lambda info: (_fit(info.message, frame_id, size), info.seen))
        return best.message

    def fit(self, frame_id: str, size: tuple[int, int]) -> int:
        """How well the best camera_info fits images of this frame_id and size (0, 0 if unknown), from 0."""
        return max((_fit(info.message, frame_id, size) for info in self._infos.values()), default=0)


def content(info: CameraInfo) -> tuple:
    """Everything of a camera_info that makes the calibration, besides the size."""
    roi = info.roi
    return (
        (info.distortion_model, info.binning_x, info.binning_y, roi.x_offset, roi.y_offset, roi.width, roi.height),
        tuple(info.k),
        tuple(info.d),
        tuple(info.r),
        tuple(info.p),
    )


def _words(info: CameraInfo) -> str:
    return f"frame {shown(info.header.frame_id)!r}, {info.width}x{info.height}"


def _fit(info: CameraInfo, frame_id: str, size: tuple[int, int]) -> int:
    """The size counts more than the frame_id, which many drivers leave empty or set differently."""
    roi = info.roi
    width, height = (roi.width, roi.height) if roi.width and roi.height else (info.width, info.height)
    published = width // max(1, info.binning_x), height // max(1, info.binning_y)
    return 2 * (size == published) + (info.header.frame_id == frame_id)
