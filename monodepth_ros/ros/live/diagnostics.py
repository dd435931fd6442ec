# SPDX-License-Identifier: Apache-2.0
"""Health on /diagnostics, once per second."""

from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue


@dataclass
class Health:
    """One status: the worst finding gives level and message, the values are facts for people to read."""

    name: str
    hardware: str
    level: bytes = DiagnosticStatus.OK
    messages: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    def warn(self, message: str) -> None:
        """Note something the user should look at."""
        self._raise_to(DiagnosticStatus.WARN, message)

    def error(self, message: str) -> None:
        """Note that the outputs fail."""
        self._raise_to(DiagnosticStatus.ERROR, message)

    def _raise_to(self, level: bytes, message: str) -> None:
        if level > self.level:
            self.level = level
            self.messages.insert(0, message)
        else:
            self.messages.append(message)

    def status(self, node_name: str) -> DiagnosticStatus:
        """As diagnostic_msgs/DiagnosticStatus, under the name of its node."""
        return DiagnosticStatus(
            level=self.level,
            name=f"{node_name}: {self.name}",
            hardware_id=self.hardware,
            message="; ".join(self.messages) or "OK",
            values=[KeyValue(key=key, value=value) for key, value in self.values.items()],
        )
