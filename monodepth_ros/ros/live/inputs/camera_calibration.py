# SPDX-License-Identifier: Apache-2.0
"""The camera model of a live camera's images, from a calibration file or camera_info."""

import time
from collections.abc import Callable

from sensor_msgs.msg import CameraInfo

from monodepth_ros.data.cameras.info_camera import ImagesOf, camera_of_info
from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.foreign_text import name_fault
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.stated_calibration import stated_calibration
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live.inputs.given_calibration import GivenCalibration
from monodepth_ros.ros.live.inputs.info_choice import InfoChoice, content

ANY_SIZE = (640, 480)  # stands for a size of 0x0, which the images replace


class CameraCalibration:
    """The camera model for each image, from the newest camera_info that belongs to it.

    fixed: replaces camera_info if given. publishers: number of publishers of the camera_info. announce: gets remarks on
    how a camera_info is read; warn: those that are passed over. image_topic, info_topic: names of the topics. warning:
    why the calibration in use can hardly be right, or ''.
    """

    def __init__(
        self,
        config: NodeConfig,
        fixed: GivenCalibration | None,
        publishers: Callable[[], int],
        announce: Callable[[str], None] = lambda text: None,
        warn: Callable[[str], None] = lambda text: None,
    ):
        self._rectified = True if config.image.rectified else False if config.image.unrectified else None
        self._field_of_view = config.image.field_of_view
        self._fixed = fixed
        self.warning = "" if fixed is None else fixed.warning
        self._announce, self._warn = announce, warn
        if fixed is not None and fixed.note:
            announce(f"calibration_file: {fixed.note}")
        self._publishers = publishers
        self._camera: CameraModel | None = None
        self._camera_source: tuple | None = None
        self.image_topic = self.info_topic = ""
        self.forget()

    def forget(self) -> None:
        """Drop every camera_info: another topic follows."""
        self._infos = InfoChoice(self._publishers)
        self._is_possible = self._has_passed_over = False

    def take(self, message: CameraInfo) -> None:
        """Take over a camera_info; a frame_id that is no name counts as none."""
        fault = name_fault(message.header.frame_id)
        if fault:
            message.header.frame_id = ""
            self._warn(f"{self.info_topic}: its frame_id {fault}, and counts as empty")
        if not self._is_passed_over(message):
            self._infos.take(message, time.monotonic())

    def _is_passed_over(self, message: CameraInfo) -> bool:
        """Whether this is a single impossible camera_info after a possible one; if the next is impossible too, the
        cause lasts, and the images wait for its end."""
        newest = self._infos.newest
        if newest is not None and _whole(newest) == _whole(message):
            self._has_passed_over = False
            return False
        fault = _fault(message)
        if not fault and newest is not None and has_intrinsics(newest) and not has_intrinsics(message):
            fault = "it holds no calibration (K[0] is 0), and those before it did"
        if fault and newest is not None and self._is_possible and not self._has_passed_over:
            self._has_passed_over = True
            self._warn(f"a camera_info on {self.info_topic} is passed over: {fault}")
            return True
        self._is_possible, self._has_passed_over = not fault, False
        return False

    @property
    def is_fixed(self) -> bool:
        """Whether the calibration comes from a file."""
        return self._fixed is not None

    @property
    def is_known(self) -> bool:
        """Whether there is a calibration, from the topic or the file."""
        return self._fixed is not None or self._infos.newest is not None

    @property
    def newest_info(self) -> CameraInfo | None:
        """The newest camera_info."""
        return self._infos.newest

    @property
    def conflict(self) -> str:
        """What differs between the camera_infos of several cameras on the topic; empty if they are one camera's."""
        return self._infos.conflict

    def fit(self, frame_id: str, size: tuple[int, int]) -> int:
        """How well the calibration fits images of this frame_id and size [px] (0, 0 if unknown), from 0."""
        if self._fixed is not None:
            return int(self._fixed.fits(size))
        return self._infos.fit(frame_id, size)

    def camera_for(self, pixels: Pixels, frame_id: str) -> CameraModel:
        """The camera model of an image, from the file or its camera_info; an uncalibrated one without either, or if
        K[0] is 0.

        Raises CalibrationError if the calibration is not valid or is for another image size.
        """
        if self._fixed is not None:
            camera = self._fixed.camera_for(pixels.size)
            self.warning = self._fixed.warning
            return camera
        camera = self._from_info(self._infos.of_image(frame_id, pixels.size), pixels.size)
        if camera is None:
            return CameraModel.uncalibrated(*pixels.size, self._field_of_view)
        camera.check_size(*pixels.size, self.info_topic)
        return camera

    def _from_info(self, info: CameraInfo | None, size: tuple[int, int]) -> CameraModel | None:
        if info is None or not has_intrinsics(info):
            return None
        source = (size, *_whole(info))
        if source != self._camera_source:
            self._camera = self._camera_source = None
            images = ImagesOf(self.image_topic, self.info_topic, self._rectified, "image.unrectified", size)
            found = camera_of_info(info, images)
            if found.remarks:
                self._announce("; ".join(found.remarks))
            self._camera, self.warning = found.model, found.warning
            self._camera_source = source
        return self._camera


def _whole(info: CameraInfo) -> tuple:
    return info.width, info.height, *content(info)


def _fault(info: CameraInfo) -> str:
    """Why no camera can have this camera_info; '' for one that a camera can have, or that holds no calibration."""
    try:
        if has_intrinsics(info):
            CameraModel.as_stated(stated_calibration(info, ANY_SIZE))
    except CalibrationError as error:
        return str(error)
    return ""
