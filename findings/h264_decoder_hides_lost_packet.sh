#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# FFmpeg's H.264 decoder does not tell that a packet is missing: what refers to it comes out unmarked, made from another one.
#
# Seen with:  av 18.1.0 (wheel; libavcodec 62.28), CPython 3.11, Linux on x86-64. VP9 and AV1 (libdav1d) behave alike.
# Behaviour:  of 20 pictures with a key frame in ten, packet 3 is not given to the decoder. Packets 4 to 9 decode without an
#             exception, with frame.is_corrupt False, also with err_detect=explode. The same loss in H.265 is noticed:
#             packets 4 to 9 give no picture (with explode: InvalidDataError).
# One would guess: an error, or the flag, as after a packet that is damaged (which H.264 does flag).
# Why:        the reference lists are filled from what is there; a gap in frame_num is concealed by repeating a picture, and
#             neither sets AV_FRAME_FLAG_CORRUPT or decode_error_flags. H.265 lists the pictures that it needs by name.
# Why it matters: over best-effort DDS, or in a recording with dropped messages, depth would be computed from ghosts. This
#             package reads frame_num itself (monodepth_ros/data/video_stream/h264.py).
# Source:     ITU-T H.264, 7.4.3 and 8.2.5.2; FFmpeg, h264_slice.c, h264_field_start, and hevc/refs.c.
#
# Prints what packets 4 to 9 give and how far the pictures are off; exits 1 if the H.264 decoder marks them or gives none.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 'numpy==2.4.6'
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from fractions import Fraction

import av
import numpy as np

blocks = np.random.default_rng(0).integers(0, 256, (12, 40), np.uint8).repeat(8, 0).repeat(8, 1)
pictures = [np.roll(blocks, (2 * i, 5 * i), (0, 1))[..., None].repeat(3, 2) for i in range(20)]
ENCODERS = {
    "h264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency"}),
    "hevc": ("libx265", {"x265-params": "log-level=none:bframes=0:keyint=10:min-keyint=10"}),
}


def encode(name):
    encoder = av.CodecContext.create(ENCODERS[name][0], "w")
    encoder.height, encoder.width, encoder.pix_fmt = *pictures[0].shape[:2], "yuv420p"
    encoder.time_base, encoder.gop_size, encoder.max_b_frames, encoder.options = Fraction(1, 10), 10, 0, ENCODERS[name][1]
    packets = []
    for i, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format="yuv420p")
        frame.pts = i
        packets += encoder.encode(frame)
    return [(packet.pts, bytes(packet)) for packet in [*packets, *encoder.encode(None)]]


def decode(name):
    """By number of the packet: (marked as corrupt, mean error) of its picture, or None."""
    decoder = av.CodecContext.create(name, "r")
    decoder.thread_count, decoder.options = 1, {"err_detect": "explode"}
    found = {}
    for number, data in encode(name):
        if number == 3:
            continue
        packet = av.Packet(data)
        packet.pts = number
        found[number] = None
        try:
            for frame in decoder.decode(packet):
                error = np.abs(frame.to_ndarray(format="rgb24").astype(int) - pictures[frame.pts]).mean()
                found[frame.pts] = frame.is_corrupt, float(error)
        except av.error.InvalidDataError:
            pass
    return found


results = {name: decode(name) for name in ENCODERS}
for name, found in results.items():
    whole = np.mean([found[i][1] for i in (0, 1, 2)])
    print(f"{name}: mean error before the loss {whole:.1f}; packets 4 to 9:", [found[i] for i in range(4, 10)])
h264 = [results["h264"][i] for i in range(4, 10)]
is_silent = all(item is not None and not item[0] for item in h264) and h264[0][1] > 2 * results["h264"][2][1]
sys.exit(0 if is_silent and all(results["hevc"][i] is None for i in range(4, 10)) else 1)
PYTHON
