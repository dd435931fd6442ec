# SPDX-License-Identifier: Apache-2.0
"""Masks of pixels to leave out: pictures of any depth, and one line for everything else."""

import os

import cv2
import numpy as np
import pytest

from monodepth_ros.data.images import picture_header
from monodepth_ros.training.samples.clip import TrainingError, read_mask

HALF = np.zeros((6, 8), bool)
HALF[:, 4:] = True


@pytest.mark.parametrize(
    "picture",
    [
        HALF.astype(np.uint8) * 255,
        HALF.astype(np.uint16) * 65535,
        np.dstack([HALF.astype(np.uint8) * 255] * 3),
        np.dstack([HALF.astype(np.uint8) * 255] * 3 + [np.full((6, 8), 9, np.uint8)]),
        np.dstack([HALF.astype(np.uint16) * 65535] * 3),
    ],
    ids=["grey", "16 bits", "colours", "with alpha", "colours of 16 bits"],
)
def test_pictures_of_any_depth_are_masks(tmp_path, picture):
    path = str(tmp_path / "mask.png")
    cv2.imwrite(path, picture)
    np.testing.assert_array_equal(read_mask(path), HALF)


def test_what_is_no_picture_is_one_line_with_the_setting(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    cv2.imwrite(str(tmp_path / "float.tiff"), np.zeros((6, 8), np.float32))
    for name in ("pipe.png", "folder.png", "text.png", "none.png", "float.tiff", "x" * 300 + ".png"):
        with pytest.raises(TrainingError, match=r"^data.mask_file ") as caught:
            read_mask(str(tmp_path / name))
        assert "\n" not in str(caught.value) and (name[:20] in str(caught.value))
    cv2.imwrite(str(tmp_path / "large.png"), HALF.astype(np.uint8))
    monkeypatch.setattr(picture_header, "MOST_PIXELS", 47)
    with pytest.raises(TrainingError, match="large.png: .*claims 8x6 pixels"):
        read_mask(str(tmp_path / "large.png"))
