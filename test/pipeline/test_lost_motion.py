# SPDX-License-Identifier: Apache-2.0
"""The pipeline names the calibration of a camera whose images it can hardly ever follow."""

import cv2
import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.odometry.checks.lost_motion import FIRST
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted

CAMERA = default_camera(320, 96)
WIDE = CameraModel.pinhole(320, 96, CAMERA.fx / 4, CAMERA.fy / 4, CAMERA.cx, CAMERA.cy)
COUNT = FIRST + 2


def shaken(image, i):
    """The view of a camera that turns by up to 0.2 rad between images, which a wrong focal length does not explain."""
    R = cv2.Rodrigues(0.1 * np.array([np.sin(1.3 * i), 2 * np.sin(0.9 * i), np.sin(0.7 * i)]))[0]
    turn = CAMERA.K @ R @ np.linalg.inv(CAMERA.K)
    return cv2.warpPerspective(image, turn, (CAMERA.width, CAMERA.height), borderMode=cv2.BORDER_REFLECT)


@pytest.fixture(scope="module")
def images():
    drive = Drive(9403, COUNT / 10, rate=10, cameras={"camera": mounted(CAMERA)}, traffic=False)
    return [shaken(drive.frame_at(i / 10).image, i) for i in range(COUNT)]


@pytest.mark.parametrize(("camera", "is_named"), [(CAMERA, False), (WIDE, True)], ids=["right", "too wide"])
def test_a_calibration_that_the_pictures_contradict_is_named(images, camera, is_named):
    checkpoint = load_checkpoint("demonstration")
    config = replace(RunConfig(), {"engine": "pytorch", "odometry.source": "features"})
    pipeline = FramePipeline(create_engine(checkpoint, config, print), checkpoint.header, config)
    found = ""
    for i, image in enumerate(images):
        frame = Frame(stamp_ns=10**9 + i * 10**8, pixels=Pixels(image, "rgb"), camera=camera)
        found = pipeline.process(frame, Demand(odometry=True)).contradiction or found
    assert (f"of the first {FIRST} images of a moving camera: is the calibration (fx" in found) == is_named, found
