# SPDX-License-Identifier: Apache-2.0
"""The largest sizes and numbers that are taken from outside. Each is far above what cameras, robots and files of this
field have; what exceeds one is refused in words before anything is allocated for it. docs/reliability.md names them.
"""

# Texts [characters].
LONGEST_NAME = 200  # of one name or text from outside, where it is logged, printed or published
LONGEST_MESSAGE = 2000  # of a whole message to people

# Files that are read as a whole [bytes].
LARGEST_TEXT_FILE = 64 << 20  # settings, calibration, metadata, catalogues
DEEPEST_NESTING = 100  # levels of lists and mappings in JSON and YAML

# Pictures.
MOST_PIXELS = 1 << 27  # of one image or depth map, judged by its header before it is decoded
LONGEST_SIDE = 1 << 16  # pixels
LARGEST_PICTURE = 1 << 29  # bytes that decoding one takes: 89 million pixels in colours; and of its file
MOST_RVL_PIXELS = 1 << 25  # of a depth image in RVL, which says 33 million unknown pixels in 12 bytes
MOST_VIDEO_PIXELS = 1 << 26  # of one picture of a video, of which decoders keep up to 16; 8K has half of it

# Numbers.
LARGEST_FOCAL_LENGTH = 1e7  # pixels
LARGEST_COEFFICIENT = 1e6  # of a lens's distortion
LARGEST_POSITION = 1e8  # metres from an origin
LARGEST_TURN_RATE = 200.0  # rad/s; the fastest gyros of robots and phones end at 70
