# SPDX-License-Identifier: Apache-2.0
"""The choice of the camera_info that belongs to an image, where one topic carries those of several cameras."""

from collections.abc import Callable
from dataclasses import dataclass

from sensor_msgs.msg import CameraInfo

# A camera_info that comes again within this time [s] after one of another camera belongs to a topic of several cameras.
RETURN = 1.0
# Of different calibrations of one camera, the first is kept until it has not come for this long [s].
FORGET = 10.0


@dataclass
class _Info:
    message: CameraInfo
    seen: float


class InfoChoice:
    """The newest camera_info, or, if the topic carries those of several cameras, the one that fits an image.

    Cameras are told apart by the frame_id and the size of their camera_info. publishers: number of the topic's
    publishers. With one of them the newest camera_info is the camera's.

    newest: the newest message, None before the first one. conflict: where several cameras send, what differs.
    """

    def __init__(self, publishers: Callable[[], int]):
        self._publishers = publishers
        self._infos: dict[tuple, _Info] = {}
        self._before: tuple[tuple, _Info] | None = None
        self.newest: CameraInfo | None = None
        self.conflict = ""

    def take(self, message: CameraInfo, now: float) -> None:
        """Take over a message that arrives now (steady clock [s])."""
        kind, several = _kind(message), self._publishers() > 1
        newest = None if self.newest is None else _kind(self.newest)
        known = self._infos.get(kind)
        if several and known is not None and now - known.seen < FORGET and content(known.message) != content(message):
            self.conflict = f"different calibrations of {_words(message)}"
            return
        if kind != newest and newest is not None and not several and len(self._infos) == 1:
            is_back = self._before is not None and self._before[0] == kind and now - self._before[1].seen < RETURN
            before = (newest, self._infos[newest])
            if not is_back:  # the camera has changed
                self._infos.clear()
            self._before = before
        self._infos[kind], self.newest = _Info(message, now), message
        if not several and len(self._infos) > 1:
            self._infos = {key: info for key, info in self._infos.items() if now - info.seen < FORGET}
        if len(self._infos) > 1:
            self.conflict = " and ".join(_words(info.message) for info in self._infos.values())
        elif not several:
            self.conflict = ""

    def of_image(self, frame_id: str, size: tuple[int, int]) -> CameraInfo | None:
        """The camera_info of images of this frame_id and size [px]; None before the first one."""
        if len(self._infos) < 2:
            return self.newest
        best = max(self._infos.values(), key=lambda info: (_fit(info.message, frame_id, size), info.seen))
        return best.message

    def fit(self, frame_id: str, size: tuple[int, int]) -> int:
        """How well the best camera_info fits images of this frame_id and size (0, 0 if unknown), from 0."""
        return max((_fit(info.message, frame_id, size) for info in self._infos.values()), default=0)


def _kind(info: CameraInfo) -> tuple:
    return info.header.frame_id, info.width, info.height


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
    return f"frame {info.header.frame_id!r}, {info.width}x{info.height}"


def _fit(info: CameraInfo, frame_id: str, size: tuple[int, int]) -> int:
    """The size counts more than the frame_id, which many drivers leave empty or set differently."""
    roi = info.roi
    width, height = (roi.width, roi.height) if roi.width and roi.height else (info.width, info.height)
    published = width // max(1, info.binning_x), height // max(1, info.binning_y)
    return 2 * (size == published) + (info.header.frame_id == frame_id)
