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
MOST_YAML_VALUES = 300_000  # of one document, each alias counted as what it stands for
LARGEST_SETTINGS_FILE = 4 << 20  # settings, catalogues; also from a pipe

# Pictures.
MOST_PIXELS = 1 << 27  # of one image or depth map, judged by its header before it is decoded
LONGEST_SIDE = 1 << 16  # pixels

# Numbers.
LARGEST_FOCAL_LENGTH = 1e7  # pixels
LARGEST_COEFFICIENT = 1e6  # of a lens's distortion
LARGEST_POSITION = 1e8  # metres from an origin
LARGEST_TURN_RATE = 200.0  # rad/s; the fastest gyros of robots and phones end at 70

# Frames of TF. Robots have up to some hundred.
MOST_FRAMES = 10_000  # to remember
MOST_PARENTS = 8  # of one frame
