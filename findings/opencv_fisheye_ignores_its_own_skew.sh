#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenCV's fisheye calibration estimates a skew and writes it into K[0][1]; its rectification ignores that element of K.
#
# Seen with:  opencv-python-headless 5.0.0.93 and 4.12.0.88, CPython 3.11, Linux on x86-64.
# Behaviour:  views made with a skew of -8 pixels (alpha -0.084) come back from cv2.fisheye.calibrate as K[0][1] = -8.0 with an
#             error of nearly 0. initUndistortRectifyMap, undistortPoints and projectPoints give the same with K[0][1] = -8
#             and 0, which is 5.6 pixels at the border. A skew in the new camera matrix (P) does count.
# One would guess: that K goes from the calibration to the rectification as it is, or that the skew is nowhere used.
# Why:        projectPoints takes the skew as an argument of its own (alpha), the two others read f and c alone from K, while
#             the inverse of P is that of the whole matrix.
# Why it matters: ROS's camera_calibration keeps the skew for fisheye lenses and copies K into P, so image_proc leaves the
#             skew of the image and adds one to the rectified image. This package uses the skew of K and drops that of P
#             (monodepth_ros/geometry/intrinsics.py).
# Source:     OpenCV, modules/calib3d/src/fisheye.cpp, initUndistortRectifyMap(), undistortPoints(), calibrate().
#
# Prints the estimate and the differences for both versions; exits 1 if K's skew is no longer estimated, or no longer ignored.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import sys

import cv2
import numpy as np

SIZE, SKEW = (256, 160), -8.0
straight = np.array([[95.0, 0, 127.5], [0, 95.6, 79.5], [0, 0, 1]])
skewed = straight + [[0, SKEW, 0], [0, 0, 0], [0, 0, 0]]
D = np.array([0.0284, -0.0165, 0.0128, -0.0043])
random = np.random.default_rng(0)
board = np.array([(x, y, 0.0) for y in range(-3, 4) for x in range(-4, 5)]).reshape(-1, 1, 3) * 0.1
views = []
for _ in range(20):
    turn, place = random.uniform(-0.5, 0.5, 3), (*random.uniform(-0.15, 0.15, 2), random.uniform(0.5, 0.8))
    pixels, _ = cv2.fisheye.projectPoints(board, turn, np.array(place), straight, D, alpha=SKEW / straight[0, 0])
    views.append(pixels.reshape(1, -1, 2))
flags = 0
for name in ("CALIB_RECOMPUTE_EXTRINSIC", "CALIB_USE_INTRINSIC_GUESS"):
    flags |= getattr(cv2.fisheye, name, None) or getattr(cv2, name)
error, K, *_ = cv2.fisheye.calibrate(
    [board.reshape(1, -1, 3)] * len(views), views, SIZE, straight.copy(), np.zeros((4, 1)), flags=flags
)
print(f"opencv {cv2.__version__}: estimated K[0][1] {K[0, 1]:.2f} (error {error:.4f} pixels)")


def columns(K, P):
    return cv2.fisheye.initUndistortRectifyMap(K, D, np.eye(3), P, SIZE, cv2.CV_32FC1)[0]


point = np.array([[[200.0, 20.0]]])
by_K = np.abs(columns(skewed, straight) - columns(straight, straight)).max()
by_P = np.abs(columns(straight, skewed) - columns(straight, straight)).max()
undistorted = np.abs(cv2.fisheye.undistortPoints(point, skewed, D) - cv2.fisheye.undistortPoints(point, straight, D)).max()
print(f"the rectification's map changes by {by_K:.3f} pixels with the skew in K, by {by_P:.3f} with it in P;")
print(f"undistortPoints changes by {undistorted:.6f} with the skew in K")
sys.exit(0 if abs(K[0, 1] - SKEW) < 0.5 and by_K == undistorted == 0 and by_P > 1 else 1)
PYTHON
for version in 5.0.0.93 4.12.0.88; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "opencv-python-headless==$version"
  "$folder/$version/bin/python" "$folder/look.py"
done
