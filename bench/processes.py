# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of processes, from /proc."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process, user and system [s]."""
    # The name, in brackets, may contain blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_cpu_seconds() -> float:
    """CPU time of the whole machine [s], including time that a hypervisor took away."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def memory_mb(pid: int) -> dict[str, float]:
    """Present and peak resident memory of a process [MB], and its number of threads."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    kilobytes = {"rss": "VmRSS", "peak": "VmHWM"}
    result = {name: int(values[key].split()[0]) * 1024e-6 for name, key in kilobytes.items()}
    return {**result, "threads": int(values["Threads"])}


@dataclass
class CpuUse:
    """CPU use of named processes and of all others between `start` and `stop`. pids: process ids by name."""

    pids: dict[str, int]

    def start(self) -> None:
        """Begin the measurement."""
        self._before = self._now()

    def stop(self) -> dict[str, float]:
        """CPU use since `start`, by name and for "others", in percent of one core."""
        spent = {name: after - self._before[name] for name, after in self._now().items()}
        wall = spent.pop("wall")
        spent["others"] = spent.pop("machine") - sum(spent[name] for name in self.pids)
        return {name: 100 * seconds / wall for name, seconds in spent.items()}

    def _now(self) -> dict[str, float]:
        by_process = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        return {**by_process, "machine": machine_cpu_seconds(), "wall": time.monotonic()}
