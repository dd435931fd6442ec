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
DEEPEST_NESTING = 100  # levels of lists and mappings in JSON and YAML

# Frames.
MOST_LINKS = 5000  # parent -> child between frames of TF that are remembered

# Pictures.
MOST_PIXELS = 1 << 27  # of one image or depth map, judged by its header before it is decoded
LONGEST_SIDE = 1 << 16  # pixels

# Point clouds: at most MOST_PIXELS points.
LARGEST_POINT_STEP = 1 << 16  # bytes from one point to the next

# Numbers.
SMALLEST_FOCAL_LENGTH, LARGEST_FOCAL_LENGTH = 1e-6, 1e7  # pixels; the latter for the principal point as well
LARGEST_ENTRY = 1e12  # of the matrices K, R and P
LARGEST_BASELINE = 1e4  # metres, of a stereo pair (P[0, 3] / fx)
LARGEST_COEFFICIENT = 1e6  # of a lens's distortion
MOST_COEFFICIENTS = 64  # of a lens's distortion, with zeros at the end
LARGEST_POSITION = 1e8  # metres from an origin
LARGEST_HEIGHT = 1e4  # metres of a camera above the ground
LARGEST_SPEED = 1000.0  # m/s
LARGEST_TURN_RATE = 200.0  # rad/s; the fastest gyros of robots and phones end at 70
LARGEST_TURN_ACCELERATION = 3000.0  # rad/s^2 between two samples of a gyro; shocks reach a few hundred
SMALLEST_QUATERNION, LARGEST_QUATERNION = 1e-3, 1e3  # length; the same as 1 after normalisation
