# SPDX-License-Identifier: Apache-2.0
"""The base class of all errors from bad input, and error texts on one line."""

from monodepth_ros.foreign_text import safe_line


class MonodepthError(ValueError):
    """Bad input from outside: a path, bag, topic, encoding, checkpoint, parameter or calibration.

    The message is one line that states what was found, what was expected and what to do. Only `cli/` and the ROS
    executables turn it into an exit code or a log line.

    What names and texts from outside bring into the message is made fit to print (foreign_text).
    """

    def __init__(self, *arguments: object):
        super().__init__(*(safe_line(text) if isinstance(text, str) else text for text in arguments))


def one_line(error: BaseException, limit: int | None = None) -> str:
    """The text of an error on one line, without its full stop, cut to `limit` characters.

    For an operating system's error it is the reason alone ("No space left on device"), without number and path. For an
    error without text it is the name of its type.
    """
    text = getattr(error, "strerror", None) or str(error)
    return safe_line(text).rstrip(".")[:limit] or type(error).__name__


def typed_line(error: BaseException) -> str:
    """Type and text of an unexpected error on one line, for a log."""
    text = safe_line(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
