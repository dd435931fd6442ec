# SPDX-License-Identifier: Apache-2.0
"""One camera in the files of many tools has the same numbers, whatever the file is called."""

import json

import cv2
import numpy as np
import pytest
import yaml

from monodepth_ros.data.calibration import read_calibration, write_calibration
from monodepth_ros.geometry.camera import CalibrationError, CameraModel

WIDTH, HEIGHT = 752, 480
FX, FY, CX, CY = 458.654, 457.296, 367.215, 248.375
K = np.array([[FX, 0, CX], [0, FY, CY], [0, 0, 1]])
RADTAN = (-0.28340811, 0.07395907, 0.00019359, 1.76187114e-05)
FISHEYE = (-0.009, 0.046, -0.043, 0.008)
PLAIN = CameraModel(WIDTH, HEIGHT, K)
LENS = CameraModel(WIDTH, HEIGHT, K, RADTAN)
WIDE = CameraModel(WIDTH, HEIGHT, K, FISHEYE, "equidistant")


def listed(values):
    return f"[{', '.join(repr(float(value)) for value in values)}]"


def matrix(name, values, rows, tag=""):
    values = np.ravel(values)
    return f"{name}: {tag}\n  rows: {rows}\n  cols: {len(values) // rows}\n  dt: d\n  data: {listed(values)}\n"


def storage(ending, **values):
    """A file as OpenCV writes it."""
    file = cv2.FileStorage(ending, cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
    for name, value in values.items():
        file.write(name, value)
    return file.releaseAndGetString()


def camera_calibration(camera, named=True):
    model = f"distortion_model: {camera.distortion_model}\n" if named else ""
    head = f"image_width: {WIDTH}\nimage_height: {HEIGHT}\ncamera_name: front\n{model}"
    matrices = (
        ("camera", camera.K, 3),
        ("distortion", camera.D, 1),
        ("rectification", camera.R, 3),
        ("projection", camera.P, 3),
    )
    names = {"distortion": "distortion_coefficients"}
    return head + "".join(matrix(names.get(name, f"{name}_matrix"), *rest) for name, *rest in matrices)


def ost(camera):
    def rows(array):
        return "\n".join(" ".join(map(repr, row)) for row in np.atleast_2d(array).tolist())

    return f"""# oST version 5.0 parameters


[image]

width
{WIDTH}

height
{HEIGHT}

[narrow_stereo]

camera matrix
{rows(camera.K)}

distortion
{rows(camera.D)}

rectification
{rows(camera.R)}

projection
{rows(camera.P)}

"""


def echoed(camera):
    """`ros2 topic echo` of a camera_info."""
    arrays = {name.lower(): getattr(camera, name).ravel().tolist() for name in "DKRP"}
    roi = {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False}
    sizes = {"height": HEIGHT, "width": WIDTH, "distortion_model": camera.distortion_model}
    content = {"header": {"frame_id": "camera"}, **sizes, **arrays, "binning_x": 0, "binning_y": 0, "roi": roi}
    return yaml.safe_dump(content, sort_keys=False) + "---\n"


KALIBR = f"""cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: {{distortion}}
  distortion_model: {{model}}
  intrinsics: {listed((FX, FY, CX, CY))}
  resolution: [{WIDTH}, {HEIGHT}]
  rostopic: /cam0/image_raw
"""
EUROC = f"""# General sensor definitions.
sensor_type: camera
comment: VI-Sensor cam0 (MT9M034)
T_BS:
  cols: 4
  rows: 4
  data: [1.0, 0.0, 0.0, -0.02, 0.0, 1.0, 0.0, -0.06, 0.0, 0.0, 1.0, 0.01, 0.0, 0.0, 0.0, 1.0]
rate_hz: 20
resolution: [{WIDTH}, {HEIGHT}]
camera_model: pinhole
intrinsics: {listed((FX, FY, CX, CY))} #fu, fv, cu, cv
distortion_model: radial-tangential
distortion_coefficients: {listed(RADTAN)}
"""
VINS = f"""%YAML:1.0
---
model_type: PINHOLE
camera_name: camera
image_width: {WIDTH}
image_height: {HEIGHT}
distortion_parameters:
   k1: {RADTAN[0]}
   k2: {RADTAN[1]}
   p1: {RADTAN[2]}
   p2: {RADTAN[3]}
projection_parameters:
   fx: {FX}
   fy: {FY}
   cx: {CX}
   cy: {CY}
"""
VINS_FISHEYE = f"""%YAML:1.0
---
model_type: KANNALA_BRANDT
camera_name: camera
image_width: {WIDTH}
image_height: {HEIGHT}
projection_parameters:
   k2: {FISHEYE[0]}
   k3: {FISHEYE[1]}
   k4: {FISHEYE[2]}
   k5: {FISHEYE[3]}
   mu: {FX}
   mv: {FY}
   u0: {CX}
   v0: {CY}
"""


def orb_slam(terms, kind="PinHole", prefix="Camera"):
    lines = {"fx": FX, "fy": FY, "cx": CX, "cy": CY, **terms}
    return (
        f'%YAML:1.0\n\n# Camera Parameters\nFile.version: "1.0"\nCamera.type: "{kind}"\n'
        + "".join(f"{prefix}.{name}: {value}\n" for name, value in lines.items())
        + f"Camera.width: {WIDTH}\nCamera.height: {HEIGHT}\nCamera.RGB: 1\nORBextractor.nFeatures: 1000\n"
    )


def colmap(kind, focals, D):
    numbers = (*focals, CX + 0.5, CY + 0.5, *D)  # COLMAP's pixel centres
    text = " ".join(map(repr, map(float, numbers)))
    return (
        f"# Camera list with one line of data per camera:\n# Number of cameras: 1\n1 {kind} {WIDTH} {HEIGHT} {text}\n"
    )


OPENCV = dict(image_width=WIDTH, image_height=HEIGHT, camera_matrix=K, distortion_coefficients=np.array([*RADTAN, 0.0]))
REALSENSE = {"width": WIDTH, "height": HEIGHT, "ppx": CX, "ppy": CY, "fx": FX, "fy": FY}
ORDER = ("k1", "k2", "p1", "p2")
NARROW_FILES = {
    "camera_calibration": camera_calibration(LENS),
    "camera_calibration, older": camera_calibration(LENS, named=False),
    "ost.txt": ost(LENS),
    "camera_info": echoed(LENS),
    "OpenCV YAML": storage(".yml", **OPENCV),
    "OpenCV XML": storage(".xml", **OPENCV),
    "OpenCV JSON": storage(".json", **OPENCV),
    "OpenCV YAML, older": "%YAML:1.0\n---\n" + storage(".yml", **OPENCV).split("---\n", 1)[1],
    "OpenCV YAML without its first line": "# mine\n" + storage(".yml", **OPENCV).split("---\n", 1)[1],
    "OpenCV, other names": storage(
        ".yml", cameraMatrix=K, distCoeffs=np.array([RADTAN]), imageSize=np.array([WIDTH, HEIGHT])
    ),
    "numpy in JSON": json.dumps({"K": K.tolist(), "D": [RADTAN], "image_size": [WIDTH, HEIGHT]}),
    "RealSense": json.dumps({**REALSENSE, "model": "distortion.inverse_brown_conrady", "coeffs": [*RADTAN, 0.0]}),
    "terms by name": json.dumps({**REALSENSE, **dict(zip(ORDER, RADTAN)), "k3": 0}),
    "Kalibr": KALIBR.format(distortion=listed(RADTAN), model="radtan"),
    "EuRoC": EUROC,
    "VINS": VINS,
    "ORB-SLAM2": orb_slam(dict(zip(ORDER, RADTAN))).replace('Camera.type: "PinHole"\n', ""),
    "ORB-SLAM3": orb_slam(dict(zip(ORDER, RADTAN)), prefix="Camera1"),
    "COLMAP": colmap("OPENCV", (FX, FY), RADTAN),
}
WIDE_FILES = {
    "camera_calibration": camera_calibration(WIDE),
    "camera_info": echoed(WIDE).replace("equidistant", "Kannala Brandt4"),
    "OpenCV's calibration program": storage(
        ".yml", **OPENCV | {"distortion_coefficients": np.array(FISHEYE), "fisheye_model": 1}
    ),
    "OpenCV with a model's name": storage(
        ".xml", K=K, D=np.array(FISHEYE), image_width=WIDTH, image_height=HEIGHT, model="fisheye"
    ),
    "Kalibr": KALIBR.format(distortion=listed(FISHEYE), model="equidistant"),
    "VINS": VINS_FISHEYE,
    "ORB-SLAM3": orb_slam(dict(zip(("k1", "k2", "k3", "k4"), FISHEYE)), "KannalaBrandt8", "Camera1"),
    "COLMAP": colmap("OPENCV_FISHEYE", (FX, FY), FISHEYE),
    "Basalt": json.dumps(
        {
            "value0": {
                "intrinsics": [
                    {
                        "camera_type": "kb4",
                        "intrinsics": dict(fx=FX, fy=FY, cx=CX, cy=CY) | dict(zip(("k1", "k2", "k3", "k4"), FISHEYE)),
                    }
                ],
                "resolution": [[WIDTH, HEIGHT]],
            }
        }
    ),
}
FILES = [(text, LENS, name) for name, text in NARROW_FILES.items()]
FILES += [(text, WIDE, f"{name}, fisheye") for name, text in WIDE_FILES.items()]


def read(tmp_path, text, size=None):
    path = tmp_path / "any.name"
    path.write_text(text)
    return read_calibration(path, None if size is None else lambda: size)


@pytest.mark.parametrize("text, expected", [file[:2] for file in FILES], ids=[file[2] for file in FILES])
def test_the_same_camera_has_the_same_numbers_in_every_format(tmp_path, text, expected):
    camera = read(tmp_path, text)
    assert (camera.width, camera.height, camera.distortion_model) == (WIDTH, HEIGHT, expected.distortion_model)
    for name in "KDRP":
        error = np.abs(getattr(camera, name) - getattr(expected, name)).max()
        assert error < 1e-9, f"{name} differs by {error}"


@pytest.mark.parametrize("camera", [LENS, WIDE, CameraModel(WIDTH, HEIGHT, K, [-0.2, 0.6], "double_sphere")])
def test_a_camera_that_was_read_is_written_and_read_again_to_the_last_bit(tmp_path, camera):
    write_calibration(tmp_path / "again", camera, "front")
    assert read_calibration(tmp_path / "again").key == camera.key


@pytest.mark.parametrize(
    "kind, focals, D, model, expected",
    [
        ("SIMPLE_PINHOLE", (FX,), (), "plumb_bob", [0] * 5),
        ("PINHOLE", (FX, FY), (), "plumb_bob", [0] * 5),
        ("SIMPLE_RADIAL", (FX,), (-0.1,), "plumb_bob", [-0.1, 0, 0, 0, 0]),
        ("RADIAL", (FX,), (-0.1, 0.02), "plumb_bob", [-0.1, 0.02, 0, 0, 0]),
        ("FULL_OPENCV", (FX, FY), range(1, 9), "rational_polynomial", list(range(1, 9))),
        ("SIMPLE_RADIAL_FISHEYE", (FX,), (0.01,), "equidistant", [0.01, 0, 0, 0]),
        ("RADIAL_FISHEYE", (FX,), (0.01, 0.02), "equidistant", [0.01, 0.02, 0, 0]),
        ("OPENCV_FISHEYE", (FX, FY), (0, 0, 0, 0), "equidistant", [1e-15, 0, 0, 0]),
        ("FOV", (FX, FY), (0.9,), "fov", [0.9]),
    ],
)
def test_models_of_colmap(tmp_path, kind, focals, D, model, expected):
    camera = read(tmp_path, colmap(kind, focals, D))
    assert (camera.distortion_model, camera.D.tolist()) == (model, expected)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (FX, focals[-1], pytest.approx(CX), pytest.approx(CY))


@pytest.mark.parametrize(
    "projection, before, distortion, model, D",
    [
        ("ds", (-0.2, 0.6), "none: []", "double_sphere", [-0.2, 0.6]),
        ("eucm", (0.6, 1.1), "none: []", "eucm", [0.6, 1.1]),
        ("omni", (1.4,), "radtan: [-0.2, 0.1, 0.001, 0.002]", "omnidirectional", [1.4, -0.2, 0.1, 0.001, 0.002]),
        ("pinhole", (), "fov: [0.93]", "fov", [0.93]),
        ("pinhole", (), "equidistant: [0.0, 0.0, 0.0, 0.0]", "equidistant", [1e-15, 0, 0, 0]),
    ],
)
def test_wide_lenses_of_kalibr(tmp_path, projection, before, distortion, model, D):
    name, _, coefficients = distortion.partition(": ")
    text = KALIBR.format(distortion=coefficients, model=name).replace(
        "camera_model: pinhole", f"camera_model: {projection}"
    )
    camera = read(tmp_path, text.replace(f"intrinsics: [{FX}", f"intrinsics: [{', '.join(map(str, (*before, FX)))}"))
    assert (camera.distortion_model, camera.D.tolist(), camera.fx, camera.cy) == (model, D, FX, CY)


def test_mei_cameras_of_vins(tmp_path):
    text = VINS.replace("PINHOLE", "MEI").replace("distortion_p", "mirror_parameters:\n   xi: 1.9\ndistortion_p")
    for old, new in (("fx", "gamma1"), ("fy", "gamma2"), ("cx", "u0"), ("cy", "v0")):
        text = text.replace(f"   {old}:", f"   {new}:")
    camera = read(tmp_path, text)
    assert (camera.distortion_model, camera.D.tolist(), camera.fx) == ("omnidirectional", [1.9, *RADTAN], FX)


TWO = KALIBR.format(distortion=listed(RADTAN), model="radtan")
TWO += TWO.replace("cam0", "cam1").replace(repr(FX), "460.0").replace(str(WIDTH), "640")


def test_one_of_several_cameras_is_named_behind_the_file(tmp_path):
    path = tmp_path / "camchain.yaml"
    path.write_text(TWO)
    assert read_calibration(f"{path}#cam1").fx == 460 and read_calibration(f"{path}#cam0").fx == FX
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path)
    listed = "holds 2 cameras (cam0 752x480 /cam0/image_raw, cam1 640x480 /cam1/image_raw): name one, as in"
    assert listed in str(caught.value) and f"{path}#cam0" in str(caught.value)
    with pytest.raises(CalibrationError, match="holds no camera 'cam7', found cam0 752x480"):
        read_calibration(f"{path}#cam7")


def test_both_cameras_of_opencvs_stereo_calibration_come_with_their_rectification(tmp_path):
    P = np.hstack([K, [[-50.0], [0], [0]]])
    text = storage(
        ".yml", M1=K, D1=np.array([[*RADTAN, 0]]), M2=K + [[1, 0, 0]] * 3 * np.eye(3), D2=np.zeros((1, 5)), P2=P
    )
    path = tmp_path / "intrinsics.yml"
    path.write_text(text)
    left, right = (read_calibration(f"{path}#{end}", lambda: (WIDTH, HEIGHT)) for end in "12")
    assert left.key == LENS.key and right.fx == FX + 1 and right.baseline == pytest.approx(50 / FX)


KITTI = "".join(
    f"P{i}: {' '.join(map(repr, [*K[0].tolist(), -100.0 * i, *K[1].tolist(), 0.0, 0.0, 0.0, 1.0, 0.0]))}\n"
    for i in range(2)
)


def test_cameras_of_kittis_calib_txt(tmp_path):
    path = tmp_path / "calib.txt"
    path.write_text(f"{KITTI}Tr: 1 0 0 0 0 1 0 0 0 0 1 0\n")
    camera = read_calibration(f"{path}#P1", lambda: (WIDTH, HEIGHT))
    assert (camera.fx, camera.cy, camera.is_rectified, camera.baseline) == (FX, CY, True, pytest.approx(100 / FX))


def test_cameras_of_kittis_raw_calibration(tmp_path):
    path = tmp_path / "calib_cam_to_cam.txt"
    K_row, P_row = (" ".join(map(repr, array.ravel().tolist())) for array in (K, np.hstack([K, np.zeros((3, 1))])))
    path.write_text(
        "calib_time: 09-Jan-2012 13:57:47\ncorner_dist: 9.950000e-02\n"
        f"S_00: {WIDTH}.0 4.800000e+02\nK_00: {K_row}\nD_00: {' '.join(map(repr, RADTAN))} 0.0\n"
        f"T_00: 0 0 0\nS_rect_00: 7.000e+02 4.000e+02\nR_rect_00: 1 0 0 0 1 0 0 0 1\nP_rect_00: {P_row}\n"
    )
    assert read_calibration(f"{path}#00").key == LENS.key
    rectified = read_calibration(f"{path}#rect_00")
    assert (rectified.width, rectified.height, rectified.fx, rectified.is_distorted) == (700, 400, FX, False)


def test_several_printed_camera_infos_that_say_the_same_are_one(tmp_path):
    later = echoed(LENS).replace("sec: 1", "sec: 2")
    assert read(tmp_path, f"{echoed(LENS)}---\n{later}---\nheader: {{stamp: [").key == LENS.key


def test_a_roi_of_the_whole_image_in_a_printed_camera_info_is_none(tmp_path):
    whole = f"roi: {{x_offset: 0, y_offset: 0, width: {WIDTH}, height: {HEIGHT}}}\n"
    lines = [line for line in echoed(LENS).splitlines(True) if "offset" not in line]
    text = "".join(lines).partition("roi:")[0] + whole
    assert read(tmp_path, text).key == LENS.key


def test_orb_slam2s_stereo_settings_hold_the_cameras_before_rectification_too(tmp_path):
    path = tmp_path / "EuRoC.yaml"
    sides = storage(".yml", LEFT_K=K, LEFT_D=np.array([*RADTAN, 0.0])).partition("---\n")[2].replace("LEFT_", "LEFT.")
    path.write_text(orb_slam({}) + f"LEFT.width: {WIDTH}\nLEFT.height: {HEIGHT}\n" + sides)
    with pytest.raises(CalibrationError, match="Camera 752x480, LEFT 752x480 images before rectification"):
        read_calibration(path)
    assert read_calibration(f"{path}#LEFT").key == LENS.key
    assert not read_calibration(f"{path}#Camera").is_distorted


WITHOUT_SIZE = {
    "image_width and image_height": storage(".yml", camera_matrix=K, distortion_coefficients=np.array([*RADTAN, 0.0])),
    "resolution: \\[width, height\\]": TWO.split("cam1")[0].replace(f"  resolution: [{WIDTH}, {HEIGHT}]\n", ""),
    "Camera.width and Camera.height": orb_slam(dict(zip(ORDER, RADTAN))).replace("Camera.width", "Camera.newWidth"),
}


@pytest.mark.parametrize("keys", WITHOUT_SIZE)
def test_a_file_without_image_size_takes_that_of_the_images(tmp_path, keys):
    assert read(tmp_path, WITHOUT_SIZE[keys], (WIDTH, HEIGHT)).key == LENS.key
    with pytest.raises(CalibrationError, match=f"no image size: add {keys} "):
        read(tmp_path, WITHOUT_SIZE[keys])


def test_a_size_in_the_file_comes_before_that_of_the_images(tmp_path):
    assert read(tmp_path, NARROW_FILES["OpenCV YAML"], (10, 10)).width == WIDTH


@pytest.mark.parametrize(
    "text, words",
    [
        (storage(".yml", K=K, D=np.array(FISHEYE)), "whose last two are no tangential terms: add distortion_model"),
        (storage(".yml", K=K, dist_params=np.array(RADTAN)), "unknown key dist_params"),
        (
            TWO.split("cam1")[0].replace("pinhole", "orthographic"),
            "cam0: camera_model is 'orthographic', expected pinhole",
        ),
        (TWO.split("cam1")[0].replace(f"[{FX}, ", "["), "cam0: intrinsics has 3 numbers, expected 4"),
        (
            TWO.split("cam1")[0].replace("pinhole", "ds").replace("[458", "[0, 0.5, 458"),
            "ds with radtan distortion is not read",
        ),
        (colmap("THIN_PRISM_FISHEYE", (FX, FY), range(8)), "camera 1 has model THIN_PRISM_FISHEYE, expected one of"),
        (colmap("OPENCV", (FX, FY), RADTAN[:3]), "camera 1 has 7 numbers, expected 8"),
        (orb_slam({}, "Fisheye"), "Camera.type is 'Fisheye', expected PinHole, KannalaBrandt8 or Rectified"),
        (VINS.replace("PINHOLE", "SCARAMUZZA"), "model_type is 'SCARAMUZZA', expected PINHOLE"),
        (VINS.replace("   p1", "   q1"), "p1 is missing, found k1, k2, q1, p2"),
        (ost(WIDE), "an ost.txt cannot say that they are a fisheye's"),
        (
            camera_calibration(WIDE).replace("distortion_model: equidistant\n", ""),
            "whose last two are no tangential terms: add distortion_model",
        ),
        (echoed(LENS) + "---\n" + echoed(PLAIN), "holds 2 YAML documents (between ---) that differ: keep one"),
        (ost(LENS).replace("rectification", "nothing"), "rectification is missing"),
        (ost(LENS).replace("height", "tallness"), "height is missing"),
        (echoed(LENS).replace("binning_x: 0", "binning_x: 2"), "binning or a roi"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(tmp_path, text, words):
    with pytest.raises(CalibrationError) as caught:
        read(tmp_path, text, (WIDTH, HEIGHT))
    assert words in str(caught.value) and "\n" not in str(caught.value), caught.value


@pytest.mark.parametrize("text", [file[0] for file in FILES], ids=[file[2] for file in FILES])
def test_a_file_that_was_cut_off_is_read_or_refused_in_one_line(tmp_path, text):
    for end in range(0, len(text), 29):
        try:
            read(tmp_path, text[:end], (WIDTH, HEIGHT))
        except CalibrationError as error:
            assert "\n" not in str(error)


def test_binary_data_of_opencv_is_refused(tmp_path):
    """OpenCV itself never ends on this file."""
    with pytest.raises(CalibrationError, match="is not YAML|expected rows, cols and data"):
        read(tmp_path, NARROW_FILES["OpenCV YAML"].replace("data: [", "data:!!binary |[", 1))
