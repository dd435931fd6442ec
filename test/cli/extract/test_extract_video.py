# SPDX-License-Identifier: Apache-2.0
"""`monodepth extract` of recorded video: images without loss, and none that a lost packet would have spoiled."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "data" / "video_stream"))
from coded_streams import encode, number_in, write_stream


def test_video_is_extracted_as_the_images_that_a_run_sees(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264"), lost=(7,))
    assert monodepth(["extract", str(path), "--out", str(tmp_path / "out"), "--as-published"]) == 0
    files = sorted((tmp_path / "out" / "image_2").glob("*.png"))
    images = [cv2.imread(str(file))[..., ::-1] for file in files]
    assert [number_in(image) for image in images] == [*range(7), *range(10, 20)]
    with open_source(str(path)) as source:
        for image, frame in zip(images, source.frames(), strict=True):
            assert np.array_equal(image, to_rgb(frame.pixels.array, frame.pixels.layout))
    facts = json.loads((tmp_path / "out" / "extract.json").read_text())
    assert facts["left_out"] == {"H.264 video after a lost packet, up to the next key frame": 2}
