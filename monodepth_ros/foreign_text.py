# SPDX-License-Identifier: Apache-2.0
"""Names and texts from messages, recordings, files and servers, made fit for a log, a terminal or a diagnostic.

They are data: nothing in them may steer a terminal, break a line or fill a log. `shown` is for one such text inside a
message, `safe_line` for a whole message that holds them.
"""

import re
from collections.abc import Iterable, Sequence

from monodepth_ros.limits import LONGEST_MESSAGE, LONGEST_NAME, MOST_LISTED

_CUT = "..."
_NOT_PLAIN = re.compile(r"[^ -~]")
_LONG_WORD = re.compile(rf"\S{{{LONGEST_NAME + 1},}}")


def shown(text: object, longest: int = LONGEST_NAME) -> str:
    """The text on one line, of at most `longest` characters: what cannot be printed becomes '?', and of a longer text
    the middle is left out."""
    text = _printable(_shortened(str(text), 4 * longest))
    return _shortened(" ".join(text.split()), longest)


def drawable(text: str) -> str:
    """The text for a picture: as `printable`, with '?' for all that is not ASCII, which OpenCV's fonts do not have.

    OpenCV takes texts that are valid UTF-8 alone, and names of files are bytes of any encoding.
    """
    return printable(text).replace("\n", " ").encode("ascii", "replace").decode()


class SafeLines(list[str]):
    """Lines for people, each made fit to print as it is added."""

    def __init__(self, texts: Iterable[str] = ()):
        super().__init__(map(safe_line, texts))

    def append(self, text: str) -> None:
        """Add a line."""
        super().append(safe_line(text))

    def extend(self, texts: Iterable[str]) -> None:
        """Add lines."""
        super().extend(map(safe_line, texts))

    def __iadd__(self, texts: Iterable[str]) -> "SafeLines":  # type: ignore[override,misc]
        self.extend(texts)
        return self

    def __contains__(self, text: object) -> bool:
        return super().__contains__(safe_line(text))


def few(names: Sequence[object], most: int = MOST_LISTED, joint: str = ", ") -> str:
    """Names in a message with `joint` between; of many the first ones, and how many there are beyond."""
    words = [shown(name) for name in names[:most]]
    return joint.join(words) + (f" and {len(names) - most} more" if len(names) > most else "")


def printable(text: str) -> str:
    """Lines for a terminal, with their spaces: what cannot be printed becomes '?', and lines are no longer than a
    message."""
    lines = (line if len(line) <= LONGEST_MESSAGE else safe_line(line) for line in text.split("\n"))
    return "\n".join(
        line if line.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in line)
        for line in lines
    )


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
    return _NOT_PLAIN.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    letter = found[0]
    return " " if letter.isspace() else letter if letter.isprintable() else "?"


def _shortened(text: str, longest: int) -> str:
    """At most `longest` characters: the beginning, '...' and the end, which tells a path's file or a reason."""
    if len(text) <= longest:
        return text
    kept = longest - len(_CUT)
    return text[: kept - kept // 2] + _CUT + text[len(text) - kept // 2 :]
