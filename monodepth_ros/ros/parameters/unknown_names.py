# SPDX-License-Identifier: Apache-2.0
"""Names of parameters, topics and launch arguments that do not exist, with the nearest one that does."""

import difflib
from collections.abc import Collection

from monodepth_ros.foreign_text import shown

ALIKE = 0.7
SHOWN_NAMES = 10


def nearest(name: str, known: Collection[str]) -> str:
    """The known name most like this one, as a whole or in its last part, or those whose last part it is; or ''."""
    if exact := [one for one in known if one.rpartition(".")[2] == name.lower()]:
        return " or ".join(exact)
    whole = difflib.get_close_matches(name.lower(), known, n=1, cutoff=ALIKE)
    if whole:
        return whole[0]
    by_leaf = {one.rpartition(".")[2]: one for one in known}
    leaf = difflib.get_close_matches(name.lower().rpartition(".")[2], by_leaf, n=1, cutoff=ALIKE)
    return by_leaf[leaf[0]] if leaf else ""


def notes_on_unknown(names: Collection[str], known: Collection[str]) -> tuple[list[str], str]:
    """A line for each parameter that does not exist and seems misspelt, and one line for all others, or ''."""
    notes, others = [], []
    for name in sorted(names):
        found = nearest(name, known)
        if found:
            notes.append(f"there is no parameter {shown(name)}, its value is ignored: did you mean {found}?")
        else:
            others.append(shown(name))
    if not others:
        return notes, ""
    more = f" and {len(others) - SHOWN_NAMES} more" if len(others) > SHOWN_NAMES else ""
    return notes, (
        f"parameters that this node does not have are ignored: {', '.join(others[:SHOWN_NAMES])}{more}; "
        "docs/parameters.md lists those that it has"
    )


def notes_on_arguments(given: Collection[str], known: Collection[str]) -> list[str]:
    """A line for each launch argument that is like a known one; others may be those of another launch file."""
    found = {name: nearest(name, known) for name in given if name not in known}
    return [
        f"{shown(name)}:= is no argument of this launch file and is ignored: did you mean {near}:=?"
        for name, near in found.items()
        if near
    ]
