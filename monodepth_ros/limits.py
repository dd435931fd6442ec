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
LONGEST_LOG_LINE = 1 << 20  # bytes of one line of a training's log
LARGEST_LOG = 1 << 30  # bytes that are read of such a log
LARGEST_STATE = 1 << 34  # of a state to resume from; that of two ResNet-152 networks has 1.4 GB
LONGEST_CHECKPOINT_HEADER = 4 << 20  # of the JSON in a checkpoint; that of a ResNet-152 has 0.1 MB
LONGEST_TENSOR_INDEX = 4 << 20  # of the list of tensors in a file of PyTorch; that of a ResNet-152's state has 0.6 MB

# Recordings and data sets.
LARGEST_MESSAGE = 1 << 28  # bytes of one message of images or points, and of an image file
LARGEST_OTHER_MESSAGE = 1 << 26  # bytes of one message of another type
LARGEST_CHUNK = 5 << 26  # bytes that a compressed part of a recording may expand to
LARGEST_SUMMARY = 1 << 28  # bytes of the index at the end of a recording; of a larger one the file itself is walked
LARGEST_EXPANSION = 250  # times its own size that a compressed recording may have, if that is more than a message
LARGEST_INDEX = 1 << 28  # bytes of the arrays about a recording's frames that are kept in a cache
KEPT_FREE = 1 << 30  # bytes of the disk that unpacking a recording leaves to others
LARGEST_DEFINITION = 1 << 18  # bytes of a message definition
MOST_FIELDS = 5000  # of all types of a message definition together
LONGEST_ARRAY = 10_000  # elements of a fixed array of texts or messages in a definition
MOST_FILES = 10_000  # storage files of one recording
LARGEST_CALIBRATION = 4 << 20  # bytes of a calibration file
LARGEST_TABLE = 2 << 30  # bytes of a data set's table in JSON; those of nuScenes have one gigabyte
MOST_LINES = 1_000_000  # of a list of poses, times or images
LARGEST_LIST = 1 << 28  # bytes of such a list
EARLIEST_TIME_NS, LATEST_TIME_NS = -(10**18), 7_258_118_400_000_000_000  # of lists; the latest ends the year 2199
MOST_LISTED = 20  # topics and choices of a recording that are printed, before "and N more"

# Pictures.
MOST_PIXELS = 1 << 27  # of one image or depth map, judged by its header before it is decoded
LONGEST_SIDE = 1 << 16  # pixels
LARGEST_PICTURE = 1 << 29  # bytes that decoding one takes: 89 million pixels in colours; and of its file
MOST_RVL_PIXELS = 1 << 25  # of a depth image in RVL, which says 33 million unknown pixels in 12 bytes
MOST_VIDEO_PIXELS = 1 << 26  # of one picture of a video, of which decoders keep up to 16; 8K has half of it

# Arrays of depth maps and poses.
LARGEST_ARRAY = 1 << 36  # bytes of a file, or of a member of an archive
FREE_EXPANSION = 1 << 28  # bytes that a member may expand to, however few it has; LARGEST_EXPANSION is for larger ones

# Networks of a checkpoint.
MOST_NETWORK_PIXELS = 1 << 23  # of their input; 3840x2176 has 8.4 million
LONGEST_HEADER_TEXT = 1 << 16  # characters of one text in the header
DEPTH_RANGE = 1e-6, 1e6  # network units
SCALE_RANGE = 1e-6, 1e6  # metres per network unit

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

# Frames of TF. Robots have up to some hundred.
MOST_LINKS = 5000  # parent -> child between frames to remember
MOST_PARENTS = 8  # of one frame
