# SPDX-License-Identifier: Apache-2.0
"""This package's executables as child processes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def ros_arguments(parameters: dict[str, str], remappings: dict[str, str]) -> list[str]:
    """Command-line form of parameters and remappings; empty strings stay at their defaults."""
    arguments = ["--ros-args"]
    for name, value in parameters.items():
        if value != "":
            arguments += ["-p", f"{name}:={value}"]
    for name, target in remappings.items():
        arguments += ["-r", f"{name}:={target}"]
    return arguments


@contextmanager
def child(module: str, arguments: list[str]) -> Iterator[subprocess.Popen]:
    """Run a module of this package as a process, and stop it when the block is left."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> int:
    """Stop a process as control-C would; its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
