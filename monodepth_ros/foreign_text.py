# SPDX-License-Identifier: Apache-2.0
"""Names and texts from messages, recordings, files and servers, made fit for a log, a terminal or a diagnostic.

They are data: nothing in them may steer a terminal, break a line or fill a log. `shown` is for one such text inside a
message, `safe_line` for a whole message that holds them.
"""

import re

from monodepth_ros.limits import LONGEST_MESSAGE, LONGEST_NAME

_CUT = "..."
_LONG_WORD = re.compile(rf"\S{{{LONGEST_NAME + 1},}}")


def shown(text: object, longest: int = LONGEST_NAME) -> str:
    """The text on one line, of at most `longest` characters: what cannot be printed becomes '?', and of a longer text
    the middle is left out."""
    text = _printable(_shortened(str(text), 4 * longest))
    return _shortened(" ".join(text.split()), longest)


def safe_line(text: object) -> str:
    """A whole message on one line: as `shown`, but only single words are cut to a name's length, and the whole to that
    of a message."""
    text = " ".join(_printable(_shortened(str(text), 4 * LONGEST_MESSAGE)).split())
    return _shortened(_LONG_WORD.sub(lambda word: _shortened(word[0], LONGEST_NAME), text), LONGEST_MESSAGE)


def name_fault(name: str) -> str:
    """Why a text cannot be the name of a frame, topic or node, such as "has 5000 characters"; '' if it can."""
    if len(name) > LONGEST_NAME:
        return f"has {len(name)} characters, at most {LONGEST_NAME} are taken"
    return "" if name.isprintable() else "has characters that cannot be printed"


def _printable(text: str) -> str:
    """White space becomes spaces; control characters, unknown ones and the halves of broken encodings become '?'."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if letter.isspace() else letter if letter.isprintable() else "?" for letter in text)


def _shortened(text: str, longest: int) -> str:
    """At most `longest` characters: the beginning, '...' and the end, which tells a path's file or a reason."""
    if len(text) <= longest:
        return text
    kept = longest - len(_CUT)
    return text[: kept - kept // 2] + _CUT + text[len(text) - kept // 2 :]
