# SPDX-License-Identifier: Apache-2.0
"""`scripts/fuzz`: damaged and generated inputs for everything that reads bytes or texts from outside.

Each target runs in child processes with 2 GB of memory above that of their imports, and 10 s of processor time for an
example, in empty folders. An example may be read, or be refused by one printable line. A crash, a hang, another
exception, a file left behind or a longer message is a failure: the example is kept in a file, and the command that
repeats it is printed. Exit code 1 if there are any.
"""

import argparse
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from json import loads
from pathlib import Path

from reliability.fuzz.targets import MODULES

BATCH = 300  # examples of one process
SILENCE = 120.0  # seconds without an example after which a process hangs


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="duration, in batches [%(default)s]")
    parser.add_argument("--target", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)} [all]")
    parser.add_argument("--seed", type=int, help="choice of the examples [random, printed]")
    parser.add_argument("--examples", type=int, help="this many of each target, once, instead of --minutes")
    parser.add_argument("--example", type=Path, metavar="FILE", help="repeat one example of one --target")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where failing examples are kept [temporary folder]")
    options = parser.parse_args(arguments)
    options.target = options.target or list(MODULES)
    unknown = [name for name in options.target if name not in MODULES]
    if unknown:
        parser.error(f"unknown target {unknown[0]!r}; there are {', '.join(MODULES)}")
    if options.example and len(options.target) != 1:
        parser.error("name the --target of the example")
    if options.seed is None:
        options.seed = random.randrange(10**6)
    options.out = options.out or Path(tempfile.gettempdir()) / "monodepth_fuzz"
    return options


class Fuzzing:
    """The child processes, one at a time, and what they have found."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self._options, self._folder = options, folder
        self.examples: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.failures: dict[str, int] = {}

    def batch(self, name: str, seed: int, count: int, example: Path | None = None) -> None:
        """Run one process."""
        home = Path(tempfile.mkdtemp(dir=self._folder))
        for part in ("work", "tmp", "home"):
            (home / part).mkdir()
        current = self._folder / "current"
        current.write_bytes(b"")
        words = ["--target", name, "--seed", str(seed), "--count", str(count), "--current", str(current)]
        words += ["--example", str(example)] if example else []
        environment = dict(os.environ, HOME=str(home / "home"), TMPDIR=str(home / "tmp"), OMP_NUM_THREADS="1")
        environment |= {"XDG_CACHE_HOME": str(home / "home/.cache"), "HYPOTHESIS_STORAGE_DIRECTORY": str(home / "tmp/.h")}
        (home / "home/.cache").mkdir()
        (home / "tmp/.h").mkdir()
        with (home / "errors").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "reliability.fuzz.child", *words],
                cwd=home / "work",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            self._listen(process, name, current, seed)

    def _listen(self, process: subprocess.Popen, name: str, current: Path, seed: int) -> None:
        is_done, at, since, rest = False, b"", time.monotonic(), b""
        while True:
            if select.select([process.stdout], [], [], 1.0)[0]:
                part = os.read(process.stdout.fileno(), 1 << 16)
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    is_done |= self._take(loads(line), name, seed)
                if not part:
                    break
            now = current.read_bytes()
            if now != at:
                at, since = now, time.monotonic()
            if time.monotonic() - since > SILENCE:
                process.kill()
                self.fail(name, at, f"no progress for {SILENCE:.0f} s", seed)
                is_done = True
                break
        code = process.wait()
        if code and is_done is False or (code and code > 0):
            self.fail(name, current.read_bytes(), f"the process ended with {code}", seed)

    def _take(self, found: dict, name: str, seed: int) -> bool:
        if "failure" in found:
            self.fail(name, bytes.fromhex(found["example"]), found["failure"], seed)
            return False
        self.examples[name] += found["examples"]
        self.refused[name] += found["refused"]
        return True

    def fail(self, name: str, data: bytes, failure: str, seed: int) -> None:
        """Keep an example and print how to repeat it; of equal failures the first."""
        title = f"{name}: {failure}"
        self.failures[title] = self.failures.get(title, 0) + 1
        if self.failures[title] > 1:
            return
        self._options.out.mkdir(parents=True, exist_ok=True)
        from reliability.fuzz.child import short_hash

        file = self._options.out / f"{name}_{short_hash(data)}.bin"
        file.write_bytes(data)
        print(f"FAILURE {title} (seed {seed})\n  scripts/fuzz --target {name} --example {file}", flush=True)


def main(arguments: list[str]) -> int:
    """Fuzz; 1 if anything failed."""
    options = parse(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz.") as folder:
        fuzzing = Fuzzing(options, Path(folder))
        if options.example:
            fuzzing.batch(options.target[0], 0, 1, options.example.resolve())
            print(f"{options.target[0]}: {'failed' if fuzzing.failures else 'holds'}")
            return int(bool(fuzzing.failures))
        print(f"fuzz: seed {options.seed}, targets: {', '.join(options.target)}", flush=True)
        number = 0
        while True:
            for name in options.target:
                fuzzing.batch(name, options.seed + number, options.examples or BATCH)
                if not options.examples and time.monotonic() - began > 60 * options.minutes:
                    break
            number += 1
            if options.examples or time.monotonic() - began > 60 * options.minutes:
                break
    for name, count in fuzzing.examples.items():
        print(f"{name:18s}{count:8d} examples, {fuzzing.refused[name]:8d} of them refused")
    total = sum(fuzzing.examples.values())
    print(f"{total} examples in {time.monotonic() - began:.0f} s, {len(fuzzing.failures)} failures; --seed {options.seed}")
    return int(bool(fuzzing.failures))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
