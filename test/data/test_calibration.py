# SPDX-License-Identifier: Apache-2.0
"""Calibration files: ROS's format is read and written, and any other file gives a clear error."""

import numpy as np
import pytest

from monodepth_ros.data.calibration import read_calibration, write_calibration
from monodepth_ros.geometry.camera import CalibrationError, CameraModel

# As camera_calibration writes it, with an exponent that YAML 1.1 takes for text.
HEAD_CAMERA = """\
image_width: 640
image_height: 480
camera_name: head_camera
camera_matrix:
  rows: 3
  cols: 3
  data: [438.783367, 0.000000, 305.593336, 0.000000, 437.302876, 243.738352, 0.000000, 0.000000, 1.000000]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.361976, 0.110510, 1e-05, 0.000506, 0.000000]
rectification_matrix:
  rows: 3
  cols: 3
  data: [0.999978, 0.002789, -0.006046, -0.002816, 0.999986, -0.004401, 0.006034, 0.004417, 0.999972]
projection_matrix:
  rows: 3
  cols: 4
  data: [393.653800, 0.000000, 322.797939, -40.1, 0.0, 393.6538, 241.090902, 0.0, 0.0, 0.0, 1.0, 0.0]
"""


def file_with(tmp_path, text):
    path = tmp_path / "camera.yaml"
    path.write_text(text)
    return path


def test_a_file_of_camera_calibration_is_read(tmp_path):
    camera = read_calibration(file_with(tmp_path, HEAD_CAMERA))
    assert (camera.width, camera.height, camera.distortion_model) == (640, 480, "plumb_bob")
    assert (camera.fx, camera.cy) == (438.783367, 243.738352)
    assert camera.D.tolist() == [-0.361976, 0.110510, 1e-05, 0.000506, 0.0]
    assert camera.R[0, 1] == 0.002789 and camera.baseline == pytest.approx(40.1 / 393.6538)


CAMERAS = {
    "pinhole": CameraModel.pinhole(1242, 375, 721.5377, 721.5377, 609.5593, 172.854),
    "plumb_bob": CameraModel(64, 48, np.diag([1 / 3, 2 / 3, 1]), D=[-0.3, 1e-17, 1 / 7, 1e-05, 0]),
    "rational_polynomial": CameraModel(64, 48, np.diag([50.0, 50, 1]), [0.1] * 8, "rational_polynomial"),
    "equidistant": CameraModel(64, 48, np.diag([50.0, 50, 1]), [0.1, 0, 1e-300, -0.0], "equidistant"),
    "uncalibrated": CameraModel(64, 48, np.zeros((3, 3))),
}


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_a_written_camera_is_read_back_to_the_last_bit(tmp_path, camera):
    write_calibration(tmp_path / "camera.yaml", camera, "front: left")
    assert read_calibration(tmp_path / "camera.yaml").key == camera.key
    assert "camera_name: 'front: left'" in (tmp_path / "camera.yaml").read_text()


@pytest.mark.parametrize(
    "key",
    [
        "image_width",
        "image_height",
        "camera_matrix",
        "distortion_coefficients",
        "rectification_matrix",
        "projection_matrix",
    ],
)
def test_a_missing_key_is_named(tmp_path, key):
    path = file_with(tmp_path, HEAD_CAMERA.replace(f"{key}:", f"not_{key}:"))
    with pytest.raises(CalibrationError, match=f": {key} is missing") as caught:
        read_calibration(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("image_width: 640", "image_width: 0", "0x480"),
        ("image_width: 640", "image_width: wide", "image_width is 'wide'"),
        ("image_width: 640", "image_width: 640.5", "image_width is 640.5"),
        ("[438.783367, 0.000000, ", "[438.783367, ", "camera_matrix has 8 numbers, expected 9"),
        ("[438.783367", "[abc", "camera_matrix has data"),
        ("[438.783367", "[.nan", "camera_matrix has data"),
        ("[438.783367", "[-438.783367", "above 0"),
        ("-40.1, ", "", "projection_matrix has 11 numbers, expected 12"),
        ("[0.999978, 0.002789", "[0.999978, 2.002789", "R is"),
        ("[-0.361976, 0.110510, 1e-05", "[-0.361976", "plumb_bob has 3"),
        ("plumb_bob", "fisheye624", "'fisheye624'"),
        ("plumb_bob", "[1]", "distortion_model is [1]"),
        ("coefficients:\n  rows: 1\n  cols: 5\n  data: ", "coefficients: 5 # ", "expected rows, cols and data"),
        (HEAD_CAMERA, "", "is an empty file, expected one of these formats: ost.txt"),
        (HEAD_CAMERA, "just text", "is text, expected one of these formats"),
        (HEAD_CAMERA, "a: 1\nb: [2]", "is YAML with the keys a, b, expected"),
        (HEAD_CAMERA, '{"a": 1}', "is JSON with the keys a, expected"),
        (HEAD_CAMERA, "<svg></svg>", "is XML with the root svg, expected"),
        (HEAD_CAMERA, '<?xml version="1.0"?>\n<opencv_storage>\n<a></b>', "is not XML (line 3)"),
        (HEAD_CAMERA, "%YAML:1.0\na: [1\nb: 2", "is not YAML: line 3: "),
        (HEAD_CAMERA, "a: [1\nb: 2", "not YAML: line 2: "),
        (HEAD_CAMERA, "!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_a_damaged_file_is_explained_in_one_line(tmp_path, old, new, words):
    assert old in HEAD_CAMERA
    path = file_with(tmp_path, HEAD_CAMERA.replace(old, new))
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path)
    message = str(caught.value)
    assert words in message and str(path) in message and "\n" not in message, message


def test_files_that_cannot_be_read_or_written_are_named(tmp_path):
    with pytest.raises(CalibrationError, match="does not exist"):
        read_calibration(tmp_path / "none.yaml")
    with pytest.raises(CalibrationError, match="is a folder; a file is expected"):
        read_calibration(tmp_path)
    (tmp_path / "picture.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(CalibrationError, match="is not text"):
        read_calibration(tmp_path / "picture.yaml")
    with pytest.raises(CalibrationError, match="cannot be written"):
        write_calibration(tmp_path / "picture.yaml" / "camera.yaml", CAMERAS["pinhole"], "front")


def test_comments_stay_out_of_the_values(tmp_path):
    camera = read_calibration(file_with(tmp_path, HEAD_CAMERA))
    write_calibration(tmp_path / "again.yaml", camera, "head_camera", ["focal: 438 +- 2", "from\nimage_width: 7"])
    text = (tmp_path / "again.yaml").read_text()
    assert text.startswith("# focal: 438 +- 2\n# from image_width: 7\n"), text
    assert read_calibration(tmp_path / "again.yaml").key == camera.key
