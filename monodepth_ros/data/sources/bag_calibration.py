# SPDX-License-Identifier: Apache-2.0
"""The camera of a recording's images, by the camera_info messages before them or a calibration file."""

from monodepth_ros.data.bags.recording import RawMessage, Recording
from monodepth_ros.data.bags.topics import ImageStream
from monodepth_ros.data.image_codec import Pixels
from monodepth_ros.data.sources.source import SourceOptions, as_published, camera_of_size, given_camera
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel


class BagCalibration:
    """Calibration of a stream. Each image uses the newest camera_info before it, images before the first one use that.

    topics: to read beside the images. published: the camera of the first camera_info; None without a usable one.
    given: that of the calibration file, which replaces it. missing: what stands instead of a calibration, '' if there
    is one. Raises CalibrationError for a bad calibration file.
    """

    def __init__(self, recording: Recording, stream: ImageStream, options: SourceOptions):
        self._recording, self._topic = recording, stream.camera_info
        self._rectified, self._field_of_view = options.rectified, options.field_of_view
        self.given = given_camera(options)
        self.published, self.missing = None, ""
        self._camera: CameraModel | CalibrationError | None = self.given
        self._content: bytes | None = None
        self.topics = [self._topic] if self._topic and self.given is None else []
        if not self._topic:
            self.missing = "" if self.given else "no camera_info in the recording"
            return
        first = recording.first(self._topic)
        model = self._model(first)
        self.published = None if isinstance(model, CalibrationError) else model
        if self.given is None:
            self._camera = model
            if not has_intrinsics(first):
                self.missing = f"{self._topic} holds no calibration (K[0] is 0)"

    def take(self, message: RawMessage) -> None:
        """Use a camera_info for the images after it."""
        # Calibrations repeat except for their stamps, which lie in the first bytes.
        if message.data[12:] != self._content:
            self._content = message.data[12:]
            self._camera = self._model(self._recording.deserialize(message))

    def camera_of(self, pixels: Pixels) -> CameraModel:
        """The camera of an image. Raises CalibrationError for a wrong calibration or one of another size."""
        if isinstance(self._camera, CalibrationError):
            raise self._camera
        origin = "the calibration file" if self.given is not None else self._topic or "the calibration file"
        return camera_of_size(self._camera, pixels, origin, self._field_of_view)

    def _model(self, info: object) -> CameraModel | CalibrationError | None:
        """The camera of a camera_info, None if it holds none, or the error for the images up to the next valid one."""
        try:
            if not has_intrinsics(info):
                return None
            return as_published(CameraModel.from_camera_info(info), self._rectified)
        except CalibrationError as error:
            return CalibrationError(f"{self._topic}: {error}")
