# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile for large messages, and the environment variable that gives it to a process."""

import os

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from monodepth_ros.config_files import config_file

# Two generations of Fast DDS read two variables: the newer one warns of the older variable, the older one ignores the
# newer variable.
VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
OLDER_DISTRIBUTIONS = ("humble", "iron", "jazzy")
FILE = "fastdds_large_messages.xml"


def profile_variable() -> str:
    """The environment variable that Fast DDS reads in this ROS distribution."""
    distribution = os.environ.get("ROS_DISTRO")
    is_older = distribution in OLDER_DISTRIBUTIONS if distribution else _has_older_files()
    return VARIABLES[0 if is_older else 1]


def large_message_remedy() -> str:
    """What to do if images get lost on the way: the setting of the sender's environment, ready to paste."""
    return f"start the camera driver (the sender) with {profile_variable()}={config_file(FILE)}"


def _has_older_files() -> bool:
    """Whether the older generation is installed; the wheels of PyPI do not set ROS_DISTRO."""
    try:
        return os.path.isdir(os.path.join(get_package_prefix("rmw_fastrtps_cpp"), "share", "fastrtps"))
    except PackageNotFoundError:
        return False
