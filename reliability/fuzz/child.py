# SPDX-License-Identifier: Apache-2.0
"""The process in which targets run: with limits of memory and time, in an empty folder, one example after the other.

What an example may do is to succeed or to raise a MonodepthError of one printable line. Everything else is a failure,
reported on standard output as a line of JSON; the run goes on with the next example. The bytes of the present example
lie in a file, so that they are known if this process dies.
"""

import argparse
import importlib
import json
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from monodepth_ros.errors import MonodepthError
from monodepth_ros.limits import LONGEST_MESSAGE
from reliability.fuzz.target import Target
from reliability.fuzz.targets import MODULES

MEMORY = 2 << 30  # bytes more than the process has after its imports
CPU_SECONDS = 10.0  # of one example
FOLDER = "example"


class TooSlow(BaseException):
    """An example took longer than it may."""


def main() -> None:
    """Run the examples of each target: --count by --seed, or the one in --example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", nargs="+", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--example", type=Path)
    parser.add_argument("--current", type=Path, required=True, help="where the present example lies")
    options = parser.parse_args()
    targets = {name: load_target(name) for name in options.target}
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    limit_memory()
    for name, target in targets.items():
        if options.example is None:
            run(name, target, options)
        else:
            report(name, options.example.read_bytes(), verdict(target, options.example.read_bytes()))


def load_target(name: str) -> Target:
    """The target of this name, whose module is imported now."""
    return importlib.import_module(MODULES[name]).TARGETS[name]


def limit_memory() -> None:
    """Let this process have 2 GB more than now, and no core files."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(name: str, target: Target, options: argparse.Namespace) -> None:
    """Run --count examples."""
    seen: set[str] = set()

    @seed(options.seed)
    @settings(
        max_examples=options.count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.examples())
    def examine(data: bytes) -> None:
        options.current.write_bytes(data)
        counts["examples"] += 1
        failure = verdict(target, data)
        counts["refused"] += failure == REFUSED
        if failure and failure != REFUSED and failure not in seen:
            seen.add(failure)
            report(name, data, failure)

    counts = {"examples": 0, "refused": 0}
    examine()
    print(json.dumps({"target": name, **counts}), flush=True)


def report(name: str, data: bytes, failure: str) -> None:
    """Print a failure."""
    if failure and failure != REFUSED:
        print(json.dumps({"target": name, "failure": failure, "example": data.hex()}), flush=True)


REFUSED = "refused"


def verdict(target: Target, data: bytes) -> str:
    """'' if the example was read, REFUSED if it was refused as it should be, else what went wrong."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    Path(FOLDER).mkdir()
    before = outside()
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        file = Path(FOLDER) / target.name
        file.write_bytes(data)
        found = ""
        target.read(file)
    except MonodepthError as error:
        text = str(error)
        is_line = text.isprintable() and 0 < len(text) <= LONGEST_MESSAGE
        found = REFUSED if is_line else f"{type(error).__name__} of {len(text)} characters, not one printable line"
    except TooSlow:
        found = f"more than {CPU_SECONDS:.0f} s of processor time, in {_place(sys.exc_info()[2])}"
    except BaseException as error:
        found = f"{type(error).__name__} in {_place(error.__traceback__)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    allowed = {target.name, *target.made}
    left = [path.name for path in Path(FOLDER).iterdir() if path.name not in allowed and ".monodepth" not in path.name]
    left += sorted(outside() - before)
    return f"files left behind: {', '.join(left)}" if left else found


def outside() -> set[str]:
    """What lies in this process's working folder, temporary folder and home besides the example."""
    folders = (Path.cwd(), Path(tempfile.gettempdir()), Path.home(), Path.home().parent)
    return {str(path) for folder in folders for path in folder.iterdir()}


def _stop(number: int, frame: object) -> None:
    raise TooSlow


def _place(trace) -> str:
    """File and line of the package's innermost frame, and of the innermost one."""
    frames = traceback.extract_tb(trace)
    own = [frame for frame in frames if "monodepth_ros" in frame.filename]
    places = dict.fromkeys(
        f"{os.sep.join(Path(f.filename).parts[-3:])}:{f.lineno}" for f in (own or frames)[-1:] + frames[-1:]
    )
    return " via ".join(places)


if __name__ == "__main__":
    main()
