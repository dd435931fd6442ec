#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The frame rate given to OpenCV's VideoWriter decides how hard the VP8 encoder works on every frame.
#
# Seen with:  opencv-python-headless 5.0.0.93 (its own FFmpeg and libvpx), CPython 3.11, Linux on x86-64.
# Behaviour:  60 frames of 1280x384 take 1.6 s of CPU time at 30 and at 10 frames/s, and 0.5 s at 1 frame/s, for a file of nearly
#             the same size (1.69 and 1.65 MB). The files at 30 and at 10 frames/s are equally long to the byte.
# One would guess: that the rate is a number in the file's head, or at most the rate control's.
# Why:        libvpx encodes in its real-time mode if a frame is shown for no less than the time granted for its encoding.
#             FFmpeg grants one second by default, and OpenCV has no way to pass another deadline.
# Why it matters: the pip wheels have no H.264, and VP9 takes seven times as long as VP8, so VP8 is what makes a depth video
#             for browsers; on two cores it cost more than a small network. This package writes at 1 frame/s and sets the
#             file's unit of time afterwards (monodepth_ros/offline/results/video_file.py).
# Source:     libvpx, vpx_codec_encode() and its deadlines; FFmpeg, libvpxenc, option deadline; OpenCV, cap_ffmpeg.
#
# Prints CPU seconds and bytes by frame rate; exits 1 if 1 frame/s no longer takes less than 0.6 of the time of 10 frames/s.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 'numpy==2.4.6'
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import os
import sys
import time

import cv2
import numpy as np

WIDTH, HEIGHT, FRAMES = 1280, 384, 60
noise = np.random.default_rng(0).integers(0, 256, (HEIGHT + 120, WIDTH + FRAMES, 3), np.uint8)
world = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def encode(rate):
    path = os.path.join(sys.argv[1], f"{rate}.webm")
    writer = cv2.VideoWriter(path, cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"VP80"), rate, (WIDTH, HEIGHT))
    assert writer.isOpened(), "this OpenCV writes no VP8"
    began = time.process_time()
    for i in range(FRAMES):
        writer.write(np.ascontiguousarray(world[2 * i : 2 * i + HEIGHT, i : i + WIDTH]))
    writer.release()
    return time.process_time() - began, os.path.getsize(path)


print(f"opencv {cv2.__version__}")
found = {rate: encode(rate) for rate in (30, 10, 1)}
for rate, (seconds, size) in found.items():
    print(f"{rate:3d} frames/s: {seconds:.2f} s of CPU time, {size} bytes")
sys.exit(0 if found[1][0] < 0.6 * found[10][0] and found[30][1] == found[10][1] else 1)
PYTHON
