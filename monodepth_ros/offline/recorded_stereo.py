# SPDX-License-Identifier: Apache-2.0
"""The images of a recording's second camera, for the scale of a stereo pair."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceFrame
from monodepth_ros.data.sources.stereo_partner import stereo_partner
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.stereo_images import SIMULTANEOUS_NS, StereoImages

# Name of the camera that belongs to a left one, in any recording.
RIGHT = "right"


class RecordedStereo:
    """Gives `images` the partner's images up to each frame, as a node would have received them.

    The partner is the camera that scale.stereo_camera names: an image topic, or 'right' for the one that belongs to
    the source as its left camera. Nothing is read unless the settings use it. Raises SourceError if there is none.
    """

    def __init__(self, source: FrameSource, settings: ScaleConfig, images: StereoImages):
        self._source, self._images = source, images
        self._partner: FrameSource | None = None
        self._frames: Iterator[SourceFrame] = iter(())
        self._next: SourceFrame | None = None
        self.notes: list[str] = []
        if settings.source == "stereo" or (settings.source == "auto" and settings.stereo_camera):
            self._partner = _open_partner(source, settings.stereo_camera)
            self._frames = self._partner.frames()
            self.notes.append(f"scale: the second camera of the stereo pair is {self._partner.description}")
            self._mount(self._partner)

    def _mount(self, partner: FrameSource) -> None:
        with suppress(StaticTransformError):  # the calibrations state it, or the scale tells that nothing does
            self._images.mount(self._source.transforms.lookup(self._source.frame_id, partner.frame_id))

    def advance(self, frame: SourceFrame) -> None:
        """Add the partner's images up to this frame."""
        limit = frame.stamp_ns + SIMULTANEOUS_NS
        while self._partner is not None:
            self._next = self._next or next(self._frames, None)
            if self._next is None or self._next.stamp_ns > limit:
                return
            other, self._next = self._next, None
            if self._images.is_due(other.stamp_ns):
                self._images.add_partner(other.stamp_ns, other.pixels, other.camera, self._partner.frame_id)

    def close(self) -> None:
        """Release the file; may be called twice."""
        if self._partner is not None:
            self._partner.close()
            self._partner = None


def _open_partner(source: FrameSource, name: str) -> FrameSource:
    path, options = source.opened_with or ((), None)
    if not isinstance(path, str):
        raise SourceError(f"scale.source stereo: {source.description} has no second camera")
    if name in ("", RIGHT):
        candidate = stereo_partner(path, options, source)
    elif isinstance(source, BagSource):
        candidate = stereo_partner(path, options, source, name)
    else:
        candidate = replace(options, camera=name)
    if candidate is None:
        raise SourceError(
            f"scale.source stereo: no second camera belongs to {source.description} as its left one: choose the left "
            "camera, or set scale.stereo_camera to an image topic of the recording"
        )
    return open_source(path, replace(candidate, calibration_file="", every=1))
