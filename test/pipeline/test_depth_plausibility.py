# SPDX-License-Identifier: Apache-2.0
"""The pipeline warns of depth that a scene's parallax contradicts."""

import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted

CAMERA = default_camera(320, 96)


@pytest.fixture(scope="module")
def images():
    drive = Drive(9403, 4.0, rate=6, cameras={"camera": mounted(CAMERA)}, traffic=False)
    return [drive.frame_at(i / 6).image for i in range(24)]


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_world_that_the_network_does_not_know_is_named(images, is_turned):
    """For the bundled network, a street upside down is such a world."""
    checkpoint = load_checkpoint("demonstration")
    config = replace(RunConfig(), {"engine": "pytorch"})
    pipeline = FramePipeline(create_engine(checkpoint, config, print), checkpoint.header, config)
    found = ""
    for i, image in enumerate(images):
        pixels = Pixels(image[::-1, ::-1].copy() if is_turned else image, "rgb")
        frame = Frame(stamp_ns=10**9 + i * 10**9 // 6, pixels=pixels, camera=CAMERA)
        found = found or pipeline.process(frame, Demand(odometry=True)).contradiction
    assert ("the checkpoint does not know scenes like this one" in found) == is_turned, found
