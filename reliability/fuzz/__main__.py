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
from hashlib import sha256
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

    def batch(self, names: list[str], seed: int, count: int, example: Path | None = None) -> None:
        """Run some targets, in one process unless it dies: another one then goes on with the next target."""
        waiting = list(names)
        while waiting:
            home = Path(tempfile.mkdtemp(dir=self._folder))
            for part in ("work", "tmp/.hypothesis", "home/.cache"):
                (home / part).mkdir(parents=True)
            current = self._folder / "current"
            current.write_bytes(b"")
            words = ["--target", *waiting, "--seed", str(seed), "--count", str(count), "--current", str(current)]
            words += ["--example", str(example)] if example else []
            environment = dict(os.environ, HOME=str(home / "home"), TMPDIR=str(home / "tmp"), OMP_NUM_THREADS="1")
            environment["XDG_CACHE_HOME"] = str(home / "home/.cache")
            environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(home / "tmp/.hypothesis")
            with (home / "errors").open("wb") as errors:
                process = subprocess.Popen(
                    [sys.executable, "-m", "reliability.fuzz.child", *words],
                    cwd=home / "work",
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
                reason = self._listen(process, waiting, current, seed)
            if reason:
                lines = (home / "errors").read_text(errors="replace").splitlines()
                reason += f": {' '.join(lines[-4:])[:500]}" if lines else ""
                self.fail(waiting.pop(0), current.read_bytes(), reason, seed)
            else:
                break

    def _listen(self, process: subprocess.Popen, waiting: list[str], current: Path, seed: int) -> str:
        """Follow a process to its end, and take the targets that are done from `waiting`; why it ended early, or ''."""
        at, since, rest = b"", time.monotonic(), b""
        while True:
            if select.select([process.stdout], [], [], 1.0)[0]:
                part = os.read(process.stdout.fileno(), 1 << 16)
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if self._take(loads(line), seed):
                        waiting.pop(0)
                if not part:
                    break
            now = current.read_bytes()
            if now != at:
                at, since = now, time.monotonic()
            if time.monotonic() - since > SILENCE:
                process.kill()
                process.wait()
                return f"no progress for {SILENCE:.0f} s"
        code = process.wait()
        return f"the process ended with {code}" if code else ""

    def _take(self, found: dict, seed: int) -> bool:
        """Enter a line of a process; whether its target is done."""
        name = found["target"]
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
        file = self._options.out / f"{name}_{sha256(data).hexdigest()[:12]}.bin"
        file.write_bytes(data)
        print(f"FAILURE {title} (seed {seed})\n  scripts/fuzz --target {name} --example {file}", flush=True)


def main(arguments: list[str]) -> int:
    """Fuzz; 1 if anything failed."""
    options = parse(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz.") as folder:
        fuzzing = Fuzzing(options, Path(folder))
        if options.example:
            fuzzing.batch(options.target, 0, 1, options.example.resolve())
            print(f"{options.target[0]}: {'failed' if fuzzing.failures else 'holds'}")
            return int(bool(fuzzing.failures))
        print(f"fuzz: seed {options.seed}, targets: {', '.join(options.target)}", flush=True)
        if options.examples:
            fuzzing.batch(options.target, options.seed, options.examples)
        number = 0
        while not options.examples and time.monotonic() - began < 60 * options.minutes:
            # Each target in a process of its own: memory that one has used up is no other's.
            fuzzing.batch([options.target[number % len(options.target)]], options.seed + number, BATCH)
            number += 1
    for name, count in fuzzing.examples.items():
        print(f"{name:18s}{count:8d} examples, {fuzzing.refused[name]:8d} of them refused")
    total = sum(fuzzing.examples.values())
    print(
        f"{total} examples in {time.monotonic() - began:.0f} s, {len(fuzzing.failures)} failures; --seed {options.seed}"
    )
    return int(bool(fuzzing.failures))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
