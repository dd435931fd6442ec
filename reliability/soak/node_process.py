# SPDX-License-Identifier: Apache-2.0
"""The depth node's process: its start with a log file, its resources from /proc, and its end."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench.worker import start
from monodepth_ros.ros.demonstration.processes import ros_arguments


class Resources(NamedTuple):
    """What a process holds.

    memory_mb: its own memory, which is backed by no file [MB]. The resident set also has libraries and segments that
    are shared with others, and changes when those come and go.
    """

    memory_mb: float
    threads: int
    handles: int


class NodeProcess:
    """A depth_node with these parameters, which logs to a file."""

    def __init__(self, parameters: dict[str, str], log: Path):
        self.log = log
        self._file = log.open("wb")
        environment = {**os.environ, "RCUTILS_COLORIZED_OUTPUT": "0", "PYTHONUNBUFFERED": "1"}
        arguments = ros_arguments(parameters, {})
        self.process = start(
            *("monodepth_ros.ros.depth_node", arguments), stdout=self._file, stderr=subprocess.STDOUT, env=environment
        )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def resources(self) -> Resources:
        """Memory, threads and open handles of this moment."""
        folder = Path(f"/proc/{self.process.pid}")
        lines = (folder / "smaps_rollup").read_text().splitlines()
        (kilobytes,) = [int(line.split()[1]) for line in lines if line.startswith("Anonymous:")]
        return Resources(kilobytes * 1024e-6, len(os.listdir(folder / "task")), len(os.listdir(folder / "fd")))

    def end(self, seconds: float) -> tuple[int | None, float]:
        """End it by SIGINT; its exit code (None if it had to be killed) and the time it took [s]."""
        began = time.monotonic()
        if self.is_running:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self._file.close()
        return code, time.monotonic() - began
