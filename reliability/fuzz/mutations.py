# SPDX-License-Identifier: Apache-2.0
"""Strategies of hypothesis that damage valid samples: bytes, texts and trees of values.

Every strategy mixes the plain generation of values with edits of samples, since random bytes alone rarely pass the
first check of a reader.
"""

import re
from typing import Any

from hypothesis import strategies as st

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
LENGTHS = (4, 16, 100, 1000, 65_536)
LONGEST = 1 << 20  # bytes of an example
# What texts may hold instead of a word or a number.
ODD_WORDS = (
    *("", "nan", "-nan", "inf", "-inf", "NaN", ".nan", ".inf", "1e999", "-1e999", "1e-320", "0", "-0", "-1", "1"),
    *("2147483648", "18446744073709551616", "9" * 400, "0x41", "1_000", "12:30", "1,5", "٣", "true", "null", "~"),
    *("[", "]", "{", "}", "[]", "{}", "- ", ":", "&a", "*a", "<<", "!!binary", "!!python/name:x", "'", '"', "|", ">"),
    *(
        "\n",
        "\t",
        "\r",
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\ud7ff",
        "\ufeff",
        "x" * 5000,
        "[" * 150,
        "{a: " * 150,
        "../../x",
    ),
    *("/dev/null", "~/x", "%n%s", "{0}", "$HOME", "#", "---", "...", "%YAML 1.2"),
)
_VALUES = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    st.sampled_from((0, 1, -1, 2**31, -(2**31), 2**63, 2**64, 10**30, 0.0, -1.5, 1e308, -1e308, 1e-308)),
    st.sampled_from([word for word in ODD_WORDS if word.isprintable()]),
    st.lists(st.floats(allow_nan=True) | st.text(max_size=5), max_size=6),
    st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=5), max_size=3),
)
ODD_VALUES = st.one_of(_VALUES)


@st.composite
def damaged(draw, samples: list[bytes], head: int = 96) -> bytes:
    """Bytes of one of the samples after one to six edits. head: bytes at the beginning that are edited more often."""
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 6))):
        _edit(draw, data, samples, head)
        del data[LONGEST:]
    return bytes(data)


def _edit(draw, data: bytearray, samples: list[bytes], head: int) -> None:
    last = max(0, len(data) - 1)
    place = draw(st.one_of(st.integers(0, min(head, last)), st.integers(0, last), st.integers(max(0, last - 64), last)))
    kind = draw(st.sampled_from(("bit", "number", "number", "cut", "leave", "insert", "repeat", "splice", "fill")))
    if kind == "bit" and data:
        data[place] ^= 1 << draw(st.integers(0, 7))
    elif kind == "number":
        size = draw(st.sampled_from((1, 2, 4, 8)))
        value = draw(st.one_of(st.sampled_from(EXTREMES), st.integers(0, 2**64 - 1))) % (1 << 8 * size)
        place -= place % draw(st.sampled_from((1, size)))
        data[place : place + size] = value.to_bytes(size, draw(st.sampled_from(("little", "big"))))
    elif kind == "cut":
        del data[place:]
    elif kind == "leave":
        del data[place : place + draw(st.integers(1, 64))]
    elif kind == "insert":
        data[place:place] = draw(st.binary(max_size=32))
    elif kind == "repeat":
        part = data[place : place + draw(st.integers(1, 256))]
        data[place:place] = part * draw(st.integers(1, 8))
    elif kind == "splice":
        other = draw(st.sampled_from(samples))
        start = draw(st.integers(0, max(0, len(other) - 1)))
        data[place:] = other[start:]
    else:
        data[place : place + draw(st.sampled_from(LENGTHS))] = bytes([draw(st.sampled_from((0, 0xFF)))]) * 16


@st.composite
def damaged_text(draw, samples: list[str]) -> bytes:
    """UTF-8 of one of the samples after one to six edits of its words and lines; now and then of its bytes."""
    text = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 6))):
        words = re.split(r"([^\w.+-]+)", text)
        lines = text.split("\n")
        kind = draw(st.sampled_from(("word", "word", "word", "number", "line", "double", "cut", "join")))
        place = draw(st.integers(0, len(words) - 1))
        if kind == "word":
            words[place] = draw(st.sampled_from(ODD_WORDS))
            text = "".join(words)
        elif kind == "number":
            words[place] = repr(draw(st.one_of(st.floats(), st.integers())))
            text = "".join(words)
        elif kind == "cut":
            text = "".join(words[:place])
        else:
            row = draw(st.integers(0, len(lines) - 1))
            if kind == "line":
                del lines[row]
            elif kind == "double":
                lines[row:row] = [lines[row]] * draw(st.sampled_from((1, 3, 200)))
            else:
                lines[row] = " " * draw(st.integers(0, 8)) + lines[row].strip()
            text = "\n".join(lines)
    data = text[:LONGEST].encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        return draw(damaged([data or b"\0"]))
    return data


@st.composite
def damaged_tree(draw, samples: list[Any]) -> Any:
    """A copy of a tree of dicts and lists in which one to three values are others, gone or moved."""
    tree = _copy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = {"": tree}, ""
        while True:
            inner = holder[key]
            keys = (
                list(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
            )
            if not keys or draw(st.integers(0, 3)) == 0:
                break
            holder, key = inner, draw(st.sampled_from(keys))
        if key == "":
            continue
        kind = draw(st.sampled_from(("value", "value", "value", "gone", "more", "swap")))
        if kind == "value":
            holder[key] = draw(ODD_VALUES)
        elif kind == "gone":
            del holder[key]
        elif kind == "more" and isinstance(holder, dict):
            holder[draw(st.text(max_size=10))] = draw(ODD_VALUES)
        elif kind == "swap":
            holder[key] = [_copy(holder[key])] * draw(st.sampled_from((1, 2, 50)))
    return tree


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copy(value) for key, value in tree.items()}
    return [_copy(value) for value in tree] if isinstance(tree, list) else tree
