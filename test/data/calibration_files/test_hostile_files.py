# SPDX-License-Identifier: Apache-2.0
"""Calibration files of every kind with values of every kind are refused in one line that names the file."""

import os
import subprocess
import sys

import pytest

from monodepth_ros.data.calibration import read_calibration
from monodepth_ros.geometry.camera import CalibrationError

FILES = {
    "camera_calibration": "image_width: 64\nimage_height: 48\ncamera_name: c\ndistortion_model: plumb_bob\n"
    "camera_matrix: {rows: 3, cols: 3, data: [50, 0, 32, 0, 50, 24, 0, 0, 1]}\n"
    "distortion_coefficients: {rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}\n"
    "rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}\n"
    "projection_matrix: {rows: 3, cols: 4, data: [50, 0, 32, 0, 0, 50, 24, 0, 0, 0, 1, 0]}\n",
    "camera_info": "width: 64\nheight: 48\ndistortion_model: plumb_bob\nd: [0.1, 0, 0, 0, 0]\n"
    "k: [50, 0, 32, 0, 50, 24, 0, 0, 1]\nr: [1, 0, 0, 0, 1, 0, 0, 0, 1]\n"
    "p: [50, 0, 32, 0, 0, 50, 24, 0, 0, 0, 1, 0]\nbinning_x: 0\nroi: {x_offset: 0, width: 0}\n",
    "kalibr": "camera_model: pinhole\nintrinsics: [50, 50, 32, 24]\ndistortion_model: radtan\n"
    "distortion_coeffs: [0.1, 0, 0, 0]\nresolution: [64, 48]\nrostopic: /cam0\n",
    "camodocal": "model_type: MEI\nimage_width: 64\nimage_height: 48\nmirror_parameters: {xi: 1}\n"
    "distortion_parameters: {k1: 0, k2: 0, p1: 0, p2: 0}\n"
    "projection_parameters: {gamma1: 50, gamma2: 50, u0: 32, v0: 24}\n",
    "orb_slam": "Camera.type: PinHole\nCamera.fx: 50\nCamera.fy: 50\nCamera.cx: 32\nCamera.cy: 24\nCamera.k1: 0.1\n"
    "Camera.width: 64\nCamera.height: 48\n",
    "basalt": "value0:\n  resolution: [[64, 48]]\n"
    "  intrinsics: [{camera_type: ds, intrinsics: {fx: 50, fy: 50, cx: 32, cy: 24, xi: 0.1, alpha: 0.5}}]\n",
    "opencv": "image_size: [64, 48]\nK: {rows: 3, cols: 3, data: [50, 0, 32, 0, 50, 24, 0, 0, 1]}\n"
    "D: {rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}\n",
    "realsense": "fx: 50\nfy: 50\nppx: 32\nppy: 24\nwidth: 64\nheight: 48\nmodel: brown_conrady\n"
    "coeffs: [0, 0, 0, 0, 0]\n",
}
WRONG = (
    "text",
    "[[1]]",
    "{a: {b: 1}}",
    "true",
    "~",
    ".nan",
    ".inf",
    "1e300",
    "-1e300",
    "9" * 400,
    "9" * 5000,
    "1j",
    "[]",
)


@pytest.mark.parametrize("kind", FILES)
def test_a_wrong_value_at_any_key_is_said_with_the_file_or_does_not_matter(tmp_path, kind):
    path = tmp_path / "camera.yaml"
    lines = FILES[kind].splitlines()
    assert _read(path, FILES[kind]) == ""
    for number, line in enumerate(lines):
        key = line[: line.index(":") + 1]
        for value in WRONG:
            # In place of the value, and of the first number in it.
            for changed in (f"{key} {value}", line.replace("50", value, 1), line.replace("0.1", value, 1)):
                message = _read(path, "\n".join([*lines[:number], changed, *lines[number + 1 :]]))
                assert not message or (str(path) in message and message.isprintable()), message


def _read(path, text):
    path.write_text(text)
    try:
        camera = read_calibration(path, lambda: (64, 48))
    except CalibrationError as error:
        return str(error)
    assert (camera.width, camera.height) == (64, 48)
    return ""


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested deeper than 100 levels"),
        ("a: " + "[" * 100_000, "nested deeper than 100 levels"),
        ("a: &x [*x]", "refers to itself"),
        ("<opencv_storage>" + "<a>" * 1000, "nested deeper than 100 levels"),
        ('<!DOCTYPE a [<!ENTITY b "1">]><opencv_storage><fx>&b;</fx></opencv_storage>', "definition of its document"),
        ('<!DOCTYPE a SYSTEM "file:///etc/hostname"><opencv_storage/>', "definition of its document type"),
        ("1 PINHOLE " + "9" * 5000 + " 48 50 50 32 24\n", "expected one of these formats"),
        ('{"fx": ' + "9" * 5000 + "}", "is not YAML|expected one of these formats"),
        ('{"value0": {"resolution": {"0": 1}, "intrinsics": [{"camera_type": "ds", "intrinsics": {"fx": 1}}]}}',
         "value0.resolution is no list"),
        ("\x1b[31m: 1\n" + "k" * 100_000 + ": 2", "is not YAML"),
        ("k" * 900 + ": 2", r"with the keys k+\.\.\.k+, expected one of"),
    ],
    ids=range(11),
)  # fmt: skip
def test_files_that_are_built_to_be_large_or_deep_are_refused_in_one_line(tmp_path, text, words):
    path = tmp_path / "camera.file"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=words) as caught:
        read_calibration(path)
    assert str(path) in str(caught.value) and str(caught.value).isprintable() and len(str(caught.value)) < 2001


def test_aliases_that_expand_beyond_the_limit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("monodepth_ros.structured_text.MOST_YAML_VALUES", 50)
    path = tmp_path / "camera.yaml"
    path.write_text("a: &a [1, 2, 3, 4, 5, 6, 7, 8]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    with pytest.raises(CalibrationError, match="more than 50 values"):
        read_calibration(path)


def test_what_is_no_ordinary_file_or_too_large_is_refused_at_once(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(CalibrationError, match="is no ordinary file but a pipe, socket or device"):
            read_calibration(path)
    with pytest.raises(CalibrationError, match="does not exist"):
        read_calibration("c" * 300)
    (tmp_path / "large").write_text(FILES["opencv"])
    monkeypatch.setattr("monodepth_ros.data.calibration_files.file_content.LARGEST_CALIBRATION", 10)
    with pytest.raises(CalibrationError, match="more than the 0 MB that such a file can have"):
        read_calibration(tmp_path / "large")


def test_a_large_calibration_is_refused_before_memory_is_taken_for_it(tmp_path):
    path = tmp_path / "sparse.yaml"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    code = (
        "import resource, sys\n"
        "from monodepth_ros.data.calibration import read_calibration\n"
        "from monodepth_ros.geometry.camera import CalibrationError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_calibration(sys.argv[1])\nexcept CalibrationError as error:\n    print(error)\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000\n"
    )
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "has 2147 MB, more than the 4 MB" in result.stdout and result.returncode == 0, result.stderr


@pytest.mark.parametrize("coefficients", ["[]", "0", "", "null"])
def test_a_distortion_model_without_coefficients_is_not_taken_for_none(tmp_path, coefficients):
    text = "cam0: {camera_model: pinhole, distortion_model: radtan, intrinsics: [9, 9, 5, 4], resolution: [10, 8]}\n"
    path = tmp_path / "camchain.yaml"
    path.write_text(text.replace("intrinsics", f"distortion_coeffs: {coefficients}, intrinsics"))
    with pytest.raises(CalibrationError, match="cam0: distortion") as caught:
        read_calibration(path)
    assert str(path) in str(caught.value)
