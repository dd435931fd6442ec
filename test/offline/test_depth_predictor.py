# SPDX-License-Identifier: Apache-2.0
"""Depth of a checkpoint at the pixels of the ground truth, through several kinds of cameras."""

import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import depth_to_disparity, disparity_to_depth, scale_disparity
from monodepth_ros.offline.depth_predictor import DepthPredictor
from monodepth_ros.offline.mirror_ensemble import blend_mirrored

HEADER = CheckpointHeader("rt_monodepth_s", 64, 192, (0.6, 1.8, 0.5, 0.5))


class Brightness(Engine):
    """An engine for which bright is near, so that the depth shows the position of each pixel of the image."""

    name, device, precision, has_pose = "brightness", "cpu", "fp32", False

    def load_image(self, rgb):
        assert rgb.shape == (64, 192, 3) and rgb.dtype == np.uint8 and rgb.flags.c_contiguous
        return rgb

    def disparity(self, image):
        return image[..., 0].astype(np.float32) / 255.0

    def motion(self, earlier, later):
        raise NotImplementedError

    def warm_up(self):
        pass

    def release(self):
        pass


class Place(Brightness):
    """An engine whose disparity depends on the column alone."""

    def disparity(self, image):
        return np.tile(np.linspace(0.2, 0.8, 192, dtype=np.float32), (64, 1))


def smooth(width, height):
    """A smooth grey image and the disparity that it encodes."""
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    grey = 128 + 60 * np.sin(20 * x + 1) + 50 * np.cos(6 * y)
    return Pixels(np.dstack([np.rint(grey).astype(np.uint8)] * 3), "rgb"), grey / 255.0


def error(found, disparity):
    """Mean error of the disparity inside the border, in grey values; an offset of half a pixel gives 1.2."""
    there = depth_to_disparity(found, HEADER.min_depth, HEADER.max_depth)
    return 255 * np.nanmean(np.abs(there - disparity)[8:-8, 8:-8])


def camera_of(width, height, D=()):
    fx, fy, cx, cy = HEADER.training_camera
    pinhole = CameraModel.from_normalized(width, height, (fx, fy, cx, cy))
    if not len(D):
        return pinhole
    return CameraModel(width, height, K=pinhole.K, D=np.array(D), distortion_model="plumb_bob")


@pytest.mark.parametrize(
    ("camera", "size"),
    [
        (camera_of(384, 128), (384, 128)),
        (camera_of(384, 128), (300, 100)),
        (CameraModel.uncalibrated(384, 128, 79.61), (384, 128)),
        (camera_of(384, 128, (-0.2, 0.05, 0, 0, 0)), (384, 128)),
    ],
    ids=["same camera", "ground truth of another size", "uncalibrated", "bent lens"],
)  # fmt: skip
def test_depth_lies_where_the_ground_truth_has_its_pixels(camera, size):
    pixels, _ = smooth(camera.width, camera.height)
    _, disparity = smooth(*size)
    found = DepthPredictor(Brightness(), HEADER)(pixels, camera, size)
    assert found.shape == size[::-1] and found.dtype == np.float32
    wrong, unseen = error(found, disparity), np.isnan(found).mean()
    assert wrong < 0.5 and unseen < 0.2, (wrong, unseen)
    shifted = error(found[:, 1:], disparity[:, :-1])
    assert shifted > 1.2, f"the test must see a shift of a pixel: {shifted}"


def test_a_longer_focal_length_makes_depth_larger():
    # Twice the focal length: a crop, whose depth is multiplied by the ratio.
    camera = CameraModel.from_normalized(384, 128, (1.2, 3.6, 0.5, 0.5))
    pixels, disparity = smooth(384, 128)
    predictor = DepthPredictor(Brightness(), HEADER)
    found = predictor(pixels, camera, (384, 128))
    ratio = np.nanmedian(found / disparity_to_depth(disparity, HEADER.min_depth, HEADER.max_depth))
    assert ratio == pytest.approx(2.0, rel=0.01), predictor.view_description
    assert "ratio of focal lengths" in predictor.view_description


def test_the_prediction_for_the_mirror_image_is_mirrored_back():
    pixels, disparity = smooth(384, 128)
    # An engine with the same prediction for both images gains nothing.
    found = DepthPredictor(Brightness(), HEADER, post_process=True)(pixels, camera_of(384, 128), (384, 128))
    assert error(found, disparity) < 0.5
    plain = Place().disparity(None)
    expected = blend_mirrored(*(scale_disparity(d, 0.1, 100.0) for d in (plain, plain[:, ::-1])))
    found = DepthPredictor(Place(), HEADER, post_process=True)(pixels, camera_of(384, 128), (192, 64))
    np.testing.assert_allclose(1 / found, expected, rtol=1e-5)
