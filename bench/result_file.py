# SPDX-License-Identifier: Apache-2.0
"""JSON files of results: the figures, and the command, machine and versions that they depend on."""

import json
import shlex
import time
from pathlib import Path

from bench.arguments import ROOT
from bench.machine import commit, machine, thread_settings, versions


def command_line(name: str, arguments: list[str]) -> str:
    """The command of a benchmark, to be pasted."""
    return shlex.join(["scripts/bench", name, *arguments])


def conditions(command: str) -> dict:
    """The command, and everything besides it that the figures depend on."""
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(ROOT),
        "machine": machine(),
        "versions": versions(),
        "thread_settings": thread_settings(),
    }


def write_result(name: str, figures: dict, folder: Path) -> None:
    """Write figures to <folder>/<name>_<time>.json and print its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}_{time.strftime('%Y-%m-%d_%H-%M-%S')}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"result      {path}")
