# SPDX-License-Identifier: Apache-2.0
"""Which columns of a table hold the time, the position and the quaternion."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from monodepth_ros.data.pose_files.text_table import TextTable
from monodepth_ros.data.time_texts import UNIT_NAMES, exact_ns, is_absolute, unit_of

ORDERS = ("xyzw", "wxyz")
_TIME = re.compile(r"(.*header[._])?(time(stamp|_stamp)?|t|stamp)(_?(s|ms|us|ns|sec|nsec))?")
_POSITION = re.compile(r"(|t|p|p_.*|pos.*|t_.*|trans.*|.*[._](pos|position|translation))")
_QUATERNION = re.compile(r"(q|q_.*|quat.*|rot.*|orient.*|.*[._](orientation|rotation|quat|quaternion))")
_SUFFIXES = {"s": "s", "sec": "s", "ms": "ms", "us": "us", "ns": "ns", "nsec": "ns"}


class PoseColumns(NamedTuple):
    """Columns of a table by number. time: None without times; unit: of it. quaternion: in the order x y z w.

    words: the form of the table, for the user.
    """

    time: int | None
    unit: str
    position: tuple[int, ...]
    quaternion: tuple[int, ...]
    words: str


def columns_of(table: TextTable, order: str) -> PoseColumns | None:
    """The columns of a table of positions and quaternions, by its names or else by its form; None for other tables.

    order: that of the quaternion, one of ORDERS, if the user states it; '' to recognise it. Without names eight columns
    are time, position and quaternion. The quaternion is x y z w as in TUM's files, or w x y z in a table in the form of
    EuRoC: commas and nanoseconds since 1970.
    """
    found = _by_names(table)
    if found is None:
        found = _by_form(table)
    if found is None or not order:
        return found
    first = min(found.quaternion)
    quaternion = _in_order(first, order)
    return found._replace(quaternion=quaternion, words=f"{found.words.partition(', q')[0]}, q{order} as stated")


def _by_names(table: TextTable) -> PoseColumns | None:
    position: dict[str, int] = {}
    quaternion: dict[str, int] = {}
    time, unit = None, ""
    for number, name in enumerate(table.names):
        bracket = re.search(r"[\[(](\w+)[\])]", name)
        name = re.sub(r"[\[(].*?[\])]", "", name).strip("\"' ").lower()
        as_time = _TIME.fullmatch(name)
        if as_time and (time is None or "header" in name):
            time = number
            unit = _SUFFIXES.get((bracket and bracket.group(1)) or as_time.group(5) or "", "")
            continue
        axis, prefix = name[-1:], name[:-1].rstrip("_./ ")
        if axis in "xyzw" and axis and _QUATERNION.fullmatch(prefix):
            quaternion.setdefault(axis, number)
        elif axis in "xyz" and axis and _POSITION.fullmatch(prefix):
            position.setdefault(axis, number)
    if len(position) < 3 or len(quaternion) < 4:
        return None
    named = "".join(sorted(quaternion, key=quaternion.__getitem__))
    unit = unit if time is None else _unit(table, time, unit)
    form = f"named columns, {UNIT_NAMES[unit]}" if time is not None else "named columns, no times"
    places = tuple(position[axis] for axis in "xyz"), tuple(quaternion[axis] for axis in "xyzw")
    return PoseColumns(time, unit or "s", *places, f"{form}, q{named}")


def _by_form(table: TextTable) -> PoseColumns | None:
    width = table.width
    if width not in (8, 17):
        return None
    unit = _unit(table, 0, "")
    is_absolute_ns = unit == "ns" and is_absolute(exact_ns(table.word(len(table) // 2, 0), unit))
    is_euroc = table.has_commas and is_absolute_ns
    if width == 17 and not is_euroc:
        return None  # a frame's number and a matrix
    order = "wxyz" if is_euroc else "xyzw"
    form = "EuRoC" if is_euroc else "TUM"
    return PoseColumns(0, unit, (1, 2, 3), _in_order(4, order), f"{form}, {UNIT_NAMES[unit]}, q{order}")


def _in_order(first: int, order: str) -> tuple[int, ...]:
    return tuple(first + order.index(axis) for axis in "xyzw")


def _unit(table: TextTable, column: int, stated: str) -> str:
    """The unit of the times: that of their size, which a heading cannot change, else the stated one or that of their
    steps."""
    texts: Sequence[str] = table.column(column)
    by_size = unit_of(texts)
    try:
        is_certain = is_absolute(exact_ns(texts[len(texts) // 2], by_size))
    except ValueError:
        is_certain = False
    return by_size if is_certain or not stated else stated
