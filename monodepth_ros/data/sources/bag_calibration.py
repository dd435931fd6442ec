# SPDX-License-Identifier: Apache-2.0
"""The camera of a recording's images, by the camera_info messages before them or a calibration file."""

from monodepth_ros.data.bags.recording import RawMessage, Recording
from monodepth_ros.data.calibration import ImageSize
from monodepth_ros.data.cameras.first_images import first_image
from monodepth_ros.data.cameras.image_names import is_rectified_name
from monodepth_ros.data.cameras.info_camera import ImagesOf, camera_of_info
from monodepth_ros.data.cameras.topics import ImageStream
from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.source import SourceOptions, camera_of_size, given_camera
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel


class BagCalibration:
    """Calibration of a stream. Each image uses the newest camera_info before it, images before the first one use that.

    topics: to read beside the images. published: the camera of the first camera_info; None without a usable one.
    given: that of the calibration file, which replaces it. missing: what stands instead of a calibration, '' if there
    is one. notes: about the calibration in use, for the user. image_size: of the images, see `given_camera`. Raises
    CalibrationError for a bad calibration file.
    """

    def __init__(
        self, recording: Recording, stream: ImageStream, options: SourceOptions, image_size: ImageSize | None = None
    ):
        self._recording, self._topic = recording, stream.camera_info
        size = first_image(recording, stream.image).size
        size = size if size and min(size) > 0 else None
        self._images = ImagesOf(stream.image, stream.camera_info, options.says_rectified, size=size)
        self._field_of_view = options.field_of_view
        self.given = given_camera(options, image_size)
        self.published, self.missing = None, ""
        self.notes: list[str] = []
        self._camera: CameraModel | CalibrationError | None = self.given
        self._content: bytes | None = None
        self.topics = [self._topic] if self._topic and self.given is None else []
        if self.given is not None:
            self._note_given(self.given, stream.image)
        if not self._topic:
            self.missing = "" if self.given else stream.missing or "no camera_info in the recording"
            return
        first = recording.first(self._topic)
        model = self._model(first, self.notes if self.given is None else [])
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
            self._camera = self._model(self._recording.deserialize(message), [])

    def camera_of(self, pixels: Pixels) -> CameraModel:
        """The camera of an image. Raises CalibrationError for a wrong calibration or one of another size."""
        if isinstance(self._camera, CalibrationError):
            raise self._camera
        origin = "the calibration file" if self.given is not None else self._topic or "the calibration file"
        return camera_of_size(self._camera, pixels, origin, self._field_of_view)

    def _model(self, info: object, notes: list[str]) -> CameraModel | CalibrationError | None:
        """The camera of a camera_info, None if it holds none, or the error for the images up to the next valid one."""
        try:
            found = camera_of_info(info, self._images)
        except CalibrationError as error:
            return error
        notes += found.remarks
        if found.warning:
            notes.append(f"warning: {found.warning}")
        return found.model

    def _note_given(self, camera: CameraModel, image: str) -> None:
        # A file may hold what was calibrated on these very images, so the name decides nothing.
        if self._images.rectified is None and is_rectified_name(image) and not camera.is_rectified:
            self.notes.append(
                f"images on {image} are rectified by the topic's name, and the calibration file has a distortion for"
                " them: --rectified takes P of the file instead, --unrectified says that it is right"
            )
