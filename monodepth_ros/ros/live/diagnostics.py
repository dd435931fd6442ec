# SPDX-License-Identifier: Apache-2.0
"""The statuses on /diagnostics."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from monodepth_ros.foreign_text import safe_line

# `ros2 topic echo` cuts texts at 128 characters.
LONGEST = 120


@dataclass
class Health:
    """One status, with the level of its worst problem, whose message comes first, and values for people to read.

    Each problem is also a value, and long values are several, so that tools which cut long texts show all of them.
    """

    name: str
    hardware: str
    level: bytes = DiagnosticStatus.OK
    messages: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    def warn(self, message: str) -> None:
        """Add a warning."""
        self._raise_to(DiagnosticStatus.WARN, message)

    def error(self, message: str) -> None:
        """Add an error: outputs are lost."""
        self._raise_to(DiagnosticStatus.ERROR, message)

    def _raise_to(self, level: bytes, message: str) -> None:
        message = safe_line(message)
        if level > self.level:
            self.level = level
            self.messages.insert(0, message)
        else:
            self.messages.append(message)

    def status(self, node_name: str) -> DiagnosticStatus:
        """The diagnostic_msgs/DiagnosticStatus, with the node's name in front."""
        problems = {f"problem {number}": message for number, message in enumerate(self.messages, 1)}
        return DiagnosticStatus(
            level=self.level,
            name=f"{node_name}: {self.name}",
            hardware_id=safe_line(self.hardware),
            message=safe_line("; ".join(self.messages)) or "OK",
            values=[item for key, value in (problems | self.values).items() for item in _pieces(key, value)],
        )


def _pieces(key: str, value: str) -> Iterator[KeyValue]:
    for number, piece in enumerate(textwrap.wrap(safe_line(value), LONGEST) or [""], 1):
        yield KeyValue(key=key if number == 1 else f"{key} ({number})", value=piece)
