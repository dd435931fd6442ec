#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenCV's VideoCapture stretches every picture of a film to the size of the first one, and tells nobody.
#
# Seen with:  opencv-python-headless 5.0.0.93 (its own FFmpeg), PyAV 18.1.0, CPython 3.11, Linux on x86-64.
# Behaviour:  of an MPEG transport stream whose pictures have 640x480 and then 320x480 pixels, read() gives 640x480 throughout.
#             CAP_PROP_FRAME_WIDTH and _HEIGHT stay those of the first picture after every read. PyAV gives both sizes.
# One would guess: that read() returns each picture as it is coded, or fails at the change, or that the properties follow.
# Why:        the capture keeps one colour converter of the first picture's size, which scales as well.
# Why it matters: cameras and recorders that change their resolution, and transport streams that are joined, give pictures
#             whose intrinsics are no longer those of the calibration, of a size at which everything seems to fit: depth and
#             odometry go wrong without a word. Nothing that OpenCV offers shows it; images and bags are not affected.
# Source:     OpenCV, cap_ffmpeg_impl.hpp, retrieveFrame(); run as below.
#
# Prints the sizes that either library gives; exits 1 if OpenCV no longer gives one size alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 av==18.1.0 'numpy==2.4.6'
"$folder/venv/bin/python" - "$folder/joined.ts" <<'PYTHON'
import io
import sys
from collections import Counter

import av
import cv2
import numpy as np


def pictures(width, height, value):
    """Ten pictures as a transport stream, which may be joined with others by appending it."""
    data = io.BytesIO()
    with av.open(data, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), value, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return data.getvalue()


path = sys.argv[1]
with open(path, "wb") as file:
    file.write(pictures(640, 480, 60) + pictures(320, 480, 200))
capture, read, stated = cv2.VideoCapture(path, cv2.CAP_FFMPEG), Counter(), Counter()
while True:
    ok, picture = capture.read()
    if not ok:
        break
    read[picture.shape[1], picture.shape[0]] += 1
    stated[capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)] += 1
with av.open(path) as container:
    coded = Counter((frame.width, frame.height) for frame in container.decode(video=0))
print(f"opencv {cv2.__version__}: read {dict(read)}, stated {dict(stated)}")
print(f"PyAV {av.__version__}: {dict(coded)}")
sys.exit(0 if set(read) == {(640, 480)} == {tuple(map(int, size)) for size in stated} and len(coded) == 2 else 1)
PYTHON
