#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# For two of the RealSense SDK's lens models, deprojecting a projected point gives another point, without an error.
#
# Seen with:  pyrealsense2 2.59.1.11053, CPython 3.11, Linux on x86-64 (no camera needed).
# Behaviour:  a point at x/z 0.6 projects to a pixel that deprojects to 0.528 (modified_brown_conrady) and to 0.765 (ftheta);
#             brown_conrady, inverse_brown_conrady and kannala_brandt4 give 0.6. inverse_brown_conrady projects exactly as
#             modified_brown_conrady does, and not as brown_conrady: tangential terms on the radially distorted point. ftheta
#             is the field-of-view model of Devernay and Faugeras with w = coeffs[0], not a polynomial in the angle.
# One would guess: that rs2_project_point_to_pixel and rs2_deproject_pixel_to_point are each other's inverse where both
#             answer, that "inverse" swaps the two directions, and that F-Theta is a polynomial.
# Why:        the header asserts that nobody deprojects from these two models, and the wheel is built without assertions.
# Why it matters: depth turned into points by the SDK is off by 12 to 27 % there. This package computes the first three names
#             as plumb_bob (they differ by 0.16 pixels at the point below) and ftheta as its model "fov", both ways
#             (monodepth_ros/geometry/lenses/distortion_models.py).
# Source:     librealsense, src/rs.cpp and include/librealsense2/rsutil.h.
#
# Prints pixels and points by model; exits 1 if a deprojection has become an inverse, or the projections have changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyrealsense2==2.59.1.11053 numpy==2.4.6 libusb-package==1.0.30.0
# The wheel expects the system's libusb; this one serves where there is none.
"$folder/venv/bin/python" -c "
import pathlib, shutil, sys, libusb_package
shutil.copy(next(pathlib.Path(libusb_package.__file__).parent.glob('libusb-1.0.so*')), sys.argv[1] + '/libusb-1.0.so.0')" "$folder"
LD_LIBRARY_PATH="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pyrealsense2 as rs

POINT = np.array([0.6, -0.35, 1.0])
TERMS = [-0.28, 0.07, 2e-3, -1e-3, 0.01]
W = 0.93
lens = rs.intrinsics()
lens.width, lens.height, lens.fx, lens.fy, lens.ppx, lens.ppy = 640, 480, 400, 400, 320, 240
pixels, errors = {}, {}
for name in ("brown_conrady", "inverse_brown_conrady", "modified_brown_conrady", "ftheta", "kannala_brandt4"):
    lens.model = getattr(rs.distortion, name)
    lens.coeffs = {"ftheta": [W, 0, 0, 0, 0], "kannala_brandt4": [-0.01, 0.05, -0.04, 0.008, 0]}.get(name, TERMS)
    pixels[name] = np.array(rs.rs2_project_point_to_pixel(lens, POINT.tolist()))
    back = np.array(rs.rs2_deproject_pixel_to_point(lens, pixels[name].tolist(), 1.0))
    errors[name] = np.abs(back - POINT).max()
    print(f"{name}: pixel {pixels[name].round(3)}, deprojected {back.round(4)}")
radius = np.hypot(*POINT[:2])
fov = 400 * POINT[:2] * np.arctan(2 * radius * np.tan(W / 2)) / (W * radius) + (320, 240)
print(f"field-of-view model: pixel {fov.round(3)}")
broken = {name for name, error in errors.items() if error > 0.01}
same = np.abs(pixels["inverse_brown_conrady"] - pixels["modified_brown_conrady"]).max() < 1e-3
other = np.abs(pixels["inverse_brown_conrady"] - pixels["brown_conrady"]).max() > 0.05
is_fov = np.abs(pixels["ftheta"] - fov).max() < 1e-3
sys.exit(0 if broken == {"modified_brown_conrady", "ftheta"} and same and other and is_fov else 1)
PYTHON
