# SPDX-License-Identifier: Apache-2.0
"""A process of the benchmark's own, asked and answered in lines of JSON."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable

from bench.errors import BenchError


def start(module: str, arguments: list[str], **options) -> subprocess.Popen:
    """A module as a process, of which this process's environment holds."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], **{"stdin": subprocess.DEVNULL, **options})


class Worker:
    """A module that answers each line on its standard input with one on its standard output.

    what: it is, for messages.
    """

    def __init__(self, module: str, arguments: list[str], what: str):
        self._what = what
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process = start(module, arguments, **pipes)
        self.pid = self._process.pid

    def ask(self, question: dict, check: Callable[[], None] | None = None) -> dict:
        """Its answer; `check` is called while that is awaited, and may raise."""
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer(check)

    def answer(self, check: Callable[[], None] | None = None) -> dict:
        """The next line it says; BenchError if it has ended."""
        while check is not None and not select.select([self._process.stdout], [], [], 0.1)[0]:
            check()
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the process of {self._what} ended; its message above says why")
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def deadline_check(process: subprocess.Popen, seconds: float) -> Callable[[], None]:
    """What raises BenchError once a node's process has ended, or is not ready after so many seconds."""
    deadline = time.monotonic() + seconds

    def check() -> None:
        if process.poll() is not None:
            raise BenchError("the node did not start; its log above says why")
        if time.monotonic() > deadline:
            raise BenchError(f"the node was not ready within {seconds:.0f} s")

    return check
