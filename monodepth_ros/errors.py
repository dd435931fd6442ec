# SPDX-License-Identifier: Apache-2.0
"""The base of every error that bad input can cause."""


class MonodepthError(ValueError):
    """Bad input from outside: a path, bag, topic, encoding, checkpoint, parameter or calibration.

    The message is one line that says what was found, what was expected and what to do. Only `cli/` and the ROS
    executables turn it into an exit code or a log line.
    """
