# SPDX-License-Identifier: Apache-2.0
"""What must hold of a node's log: no traceback, printable lines of bounded length, few lines for each cause."""

import re
from collections import defaultdict
from pathlib import Path

from monodepth_ros.limits import LONGEST_MESSAGE

PERIOD = 5.0  # seconds in which one cause may be logged once
# Lines of a cause within such a time: one, and one by other rounding of its times; more of what a transition tells.
PER_PERIOD = {"INFO": 5}
PER_PERIOD_ELSE = 2
BYTES_PER_MINUTE = 60_000
FOREIGN_PER_MINUTE = 12  # lines that libraries write past the log, without a time
FREE_BYTES = 60_000  # of the start, and of transitions
PREFIX = 200  # characters before a message: level, time, name
# Signs of a fault in the program itself.
ALARMS = ("Traceback", "internal error", "core dumped", "Segmentation", "terminate called", "Fatal Python error")
ALARMS += ("Exception ignored", "never awaited", "frame not processed:", "a callback failed", "a transition failed")
LINE = re.compile(r"\[(\w+)\] \[(\d+\.\d+)\] \[([\w./]+)\]: (.*)")


def cause_of(message: str) -> str:
    """A message without its figures and quotations: equal for equal causes."""
    message = re.sub(r"(['\"]).*?\1", "'...'", message)
    return re.sub(r"-?\d[\d.e+-]*|\bnan\b|\binf\b", "#", message)[:60]


def log_faults(path: Path, seconds: float) -> tuple[list[str], dict[str, int]]:
    """(faults in words, numbers of lines and bytes) of a log. seconds: how long the node has run."""
    data = path.read_bytes()
    text = data.decode("utf-8", "replace")
    faults, times = [], defaultdict(list)
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.isprintable():
            faults.append(f"line {number} holds what cannot be printed: {line[:200]!r}")
        if len(line) > LONGEST_MESSAGE + PREFIX:
            faults.append(f"line {number} has {len(line)} characters: {line[:100]!r}...")
        faults += [f"line {number} says {alarm!r}: {line[:300]}" for alarm in ALARMS if alarm in line]
        match = LINE.match(line)
        if match and not match[3].startswith("rcl"):  # rcl answers each bad request with a line
            times[match[1], cause_of(match[4])].append(float(match[2]))
    for (level, cause), moments in times.items():
        most = max(sum(first <= other < first + PERIOD for other in moments) for first in moments)
        if most > PER_PERIOD.get(level, PER_PERIOD_ELSE):
            faults.append(f"{most} lines within {PERIOD:.0f} s ({len(moments)} in all): {cause}")
    foreign = [line for line in lines if line and not LINE.match(line)]
    if len(foreign) > FOREIGN_PER_MINUTE * max(1.0, seconds / 60):
        faults.append(f"{len(foreign)} lines of libraries in {seconds:.0f} s, the last: {foreign[-1][:200]}")
    allowed = FREE_BYTES + BYTES_PER_MINUTE * seconds / 60
    if len(data) > allowed:
        faults.append(f"{len(data)} bytes in {seconds:.0f} s, more than {allowed:.0f}")
    return faults, {"lines": len(lines) - 1, "bytes": len(data)}
