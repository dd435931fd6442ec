# SPDX-License-Identifier: Apache-2.0
"""Processes of a benchmark that answer questions, with one JSON object a line on standard input and output."""

import contextlib
import json
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from bench.errors import BenchError


def questions() -> Iterator[dict]:
    """Yield the questions to this process until its standard input ends."""
    for line in sys.stdin:
        yield json.loads(line)


def answer(values: dict) -> None:
    """Answer a question to this process."""
    print(json.dumps(values), flush=True)


def start(module: str, arguments: list[str], **options) -> subprocess.Popen:
    """Start a module in a process with the environment of this one."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], **{"stdin": subprocess.DEVNULL, **options})


class Worker:
    """A module in a process that answers questions. name: its name in error messages."""

    def __init__(self, module: str, arguments: list[str], name: str):
        self._name = name
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process = start(module, arguments, **pipes)
        self.pid = self._process.pid

    def ask(self, question: dict, check: Callable[[], None] | None = None) -> dict:
        """The answer to a question. check: called while waiting; it may raise."""
        self.tell(question)
        return self.answer(check)

    def tell(self, question: dict) -> None:
        """Send a question, to which `answer` gives the answer; to a process that has ended, none."""
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self, check: Callable[[], None] | None = None) -> dict:
        """The next answer. Raises BenchError if the process has ended."""
        while check is not None and not select.select([self._process.stdout], [], [], 0.1)[0]:
            check()
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the process of {self._name} ended: see its message above")
        return json.loads(line)

    def kill(self) -> None:
        """Kill the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # a question that it did not read
            self._process.stdin.close()

    def stop(self) -> None:
        """End the process."""
        self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def deadline_check(process: subprocess.Popen, seconds: float) -> Callable[[], None]:
    """A check that raises BenchError if a node's process has ended or was not ready within `seconds`."""
    deadline = time.monotonic() + seconds

    def check() -> None:
        if process.poll() is not None:
            raise BenchError("the node did not start: see its log above")
        if time.monotonic() > deadline:
            raise BenchError(f"the node was not ready within {seconds:.0f} s")

    return check
