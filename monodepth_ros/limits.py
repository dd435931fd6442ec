# SPDX-License-Identifier: Apache-2.0
"""The largest sizes and numbers that are taken from outside. Each is far above what cameras, robots and files of this
field have; what exceeds one is refused in words before anything is allocated for it. docs/reliability.md lists them.
"""

# Texts.
LONGEST_NAME = 200  # characters of a name or text from outside, where it is logged, printed or published
LONGEST_MESSAGE = 2000  # characters of a whole message to people

# Settings, calibration, checkpoints and training states.
LARGEST_TEXT_FILE = 64 << 20  # bytes of a text file of any other kind
LARGEST_SETTINGS_FILE = 4 << 20  # bytes of settings and catalogues, also from a pipe
LARGEST_CALIBRATION = 4 << 20  # bytes of a calibration file
DEEPEST_NESTING = 100  # levels of lists and mappings in JSON and YAML
MOST_YAML_VALUES = 300_000  # values of one YAML document, each alias counted as what it stands for
LONGEST_LOG_LINE = 1 << 20  # bytes of one line of a training's log
LARGEST_LOG = 1 << 30  # bytes that are read of a training's log
LARGEST_STATE = 1 << 34  # bytes of a training state; that of two ResNet-152 networks has 1.4 GB
LONGEST_CHECKPOINT_HEADER = 4 << 20  # bytes of the JSON in a checkpoint; that of a ResNet-152 has 0.1 MB
LONGEST_TENSOR_INDEX = 4 << 20  # bytes of the list of tensors in a PyTorch file; a ResNet-152's state has 0.6 MB
LONGEST_HEADER_TEXT = 1 << 16  # characters of one text in a checkpoint's header
MOST_NETWORK_PIXELS = 1 << 23  # pixels of a network's input; 3840x2176 has 8.4 million
DEPTH_RANGE = 1e-6, 1e6  # network units of depth that a checkpoint may state
SCALE_RANGE = 1e-6, 1e6  # metres per network unit that a checkpoint may state

# Recordings and data sets.
LARGEST_MESSAGE = 1 << 28  # bytes of one message of images or points, and of an image file
LARGEST_OTHER_MESSAGE = 1 << 26  # bytes of one message of another type
LARGEST_CHUNK = 5 << 26  # bytes that a compressed part of a recording may expand to
LARGEST_SUMMARY = 1 << 28  # bytes of the index at the end of a recording; with a larger one the file itself is walked
LARGEST_EXPANSION = 250  # times its own size that a compressed recording may have, if that is more than a message
LARGEST_INDEX = 1 << 28  # bytes of the arrays about a recording's frames that are kept in the cache
KEPT_FREE = 1 << 30  # bytes of the disk that unpacking a recording leaves to others
LARGEST_DEFINITION = 1 << 18  # bytes of a message definition
MOST_FIELDS = 5000  # fields of all types of a message definition together
LONGEST_ARRAY = 10_000  # elements of a fixed array of texts or messages in a definition
MOST_FILES = 10_000  # storage files of one recording
LARGEST_TABLE = 2 << 30  # bytes of a data set's table in JSON; nuScenes has one of a gigabyte
MOST_LINES = 1_000_000  # lines of a list of poses, times or images
LARGEST_LIST = 1 << 28  # bytes of a list of poses, times or images
EARLIEST_TIME_NS = -(10**18)  # ns since 1970, of poses and images in lists
LATEST_TIME_NS = 7_258_118_400_000_000_000  # ns since 1970, of poses and images in lists: the end of the year 2199
MOST_LISTED = 20  # topics and choices of a recording that are printed, before "and N more"

# Pictures and arrays.
MOST_PIXELS = 1 << 27  # pixels of one image or depth map, and points of a cloud, judged before anything is decoded
LONGEST_SIDE = 1 << 16  # pixels of an image's width or height
LARGEST_PICTURE = 1 << 29  # bytes that decoding a picture may take: 89 million pixels in colours; and of its file
MOST_RVL_PIXELS = 1 << 25  # pixels of a depth image in RVL, which says 33 million unknown ones in 12 bytes
MOST_VIDEO_PIXELS = 1 << 26  # pixels of one picture of a video, of which decoders keep up to 16; 8K has half of it
LARGEST_ARRAY = 1 << 36  # bytes of an array of depth maps or poses, or of a member of an archive
FREE_EXPANSION = 1 << 28  # bytes that an archive's member may always expand to; beyond it LARGEST_EXPANSION holds
LARGEST_POINT_STEP = 1 << 16  # bytes from one point of a cloud to the next

# Numbers.
SMALLEST_FOCAL_LENGTH, LARGEST_FOCAL_LENGTH = 1e-6, 1e7  # pixels; the latter for the principal point as well
LARGEST_ENTRY = 1e12  # entries of the matrices K, R and P
LARGEST_BASELINE = 1e4  # metres between the cameras of a stereo pair (P[0, 3] / fx)
LARGEST_COEFFICIENT = 1e6  # coefficients of a lens's distortion
MOST_COEFFICIENTS = 64  # number of coefficients of a lens's distortion, with zeros at the end
LARGEST_POSITION = 1e8  # metres from an origin
LARGEST_LEVER = 1e3  # metres between a camera and the origin of the robot that carries it
LARGEST_HEIGHT = 1e4  # metres of a camera above the ground
LARGEST_SPEED = 1000.0  # metres per second of a robot
LARGEST_TURN_RATE = 200.0  # rad/s; the fastest gyros of robots and phones end at 70
LARGEST_TURN_ACCELERATION = 3000.0  # rad/s^2 between two samples of a gyro; shocks reach a few hundred
SMALLEST_QUATERNION, LARGEST_QUATERNION = 1e-3, 1e3  # length of a quaternion, which is then made 1

# Frames of TF. Robots have up to some hundred.
MOST_LINKS = 5000  # pairs of parent and child in TF that are remembered
MOST_PARENTS = 8  # parents of one frame in TF that are remembered

# Downloads.
LARGEST_DOWNLOAD = 1 << 32  # bytes of a download, and of what an archive unpacks to
SLOWEST_DOWNLOAD = 500.0  # bytes per second on average over STALL, below which a download ends
STALL = 60.0  # seconds over which the rate of a download is measured
MOST_REDIRECTS = 10  # redirects that a download follows
