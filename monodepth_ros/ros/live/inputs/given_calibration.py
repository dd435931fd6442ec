# SPDX-License-Identifier: Apache-2.0
"""The calibration file that replaces a camera's camera_info."""

from dataclasses import replace

from monodepth_ros.data.calibration import calibration_note, read_intrinsics
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.lens_plausibility import lens_problem

# Stands for the size that a file does not state; nothing else of a camera depends on it.
_NO_SIZE = (1, 1)


class GivenCalibration:
    """The camera of a calibration file. One without image size takes the size of the first image.

    rectified: the images are rectified, so the camera is that of P. note: what a user should know of how the file is
    read, or ''. warning: why it can hardly be right, or ''; of a file without size known after the first image. Raises
    CalibrationError for a file that cannot be read or can never be right.
    """

    def __init__(self, path: str, rectified: bool):
        self._has_size = True
        camera = read_intrinsics(path, self._without_size)
        self._camera = camera.rectified() if rectified else camera
        self.note, self.warning = calibration_note(path), ""
        if self._has_size:
            self._judge(self._camera)

    def _without_size(self) -> tuple[int, int]:
        self._has_size = False
        return _NO_SIZE

    def _judge(self, camera: CameraModel) -> None:
        problem = lens_problem(camera)
        self.warning = f"the calibration file can hardly be right: {problem}" if problem else ""
        self._camera, self._has_size = camera, True

    def fits(self, size: tuple[int, int]) -> bool:
        """Whether images of this size [px] are known to be those of the file."""
        return self._has_size and size == (self._camera.width, self._camera.height)

    def camera_for(self, size: tuple[int, int]) -> CameraModel:
        """The camera of an image of this size [px]. Raises CalibrationError for images of another size."""
        if not self._has_size:
            self._judge(replace(self._camera, width=size[0], height=size[1]))
        self._camera.check_size(*size, "the calibration file")
        return self._camera
