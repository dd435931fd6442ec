# SPDX-License-Identifier: Apache-2.0
"""One soak run: faults in turns, good images after each, and what is counted and measured meanwhile."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError
from bench.worker import Worker
from reliability.soak.accounts import PACED, UNCONNECTED, UNPACED, Books, counts_of
from reliability.soak.listener import Listener
from reliability.soak.message_faults import FAULTS as MESSAGE_FAULTS
from reliability.soak.node_process import NodeProcess, Resources
from reliability.soak.process_faults import FAULTS as PROCESS_FAULTS

FAULTS = {**MESSAGE_FAULTS, **PROCESS_FAULTS}
START_IMAGES = 240  # without an answer, half a second each: the node loads and the processes find each other
PATIENCE = 1.5  # seconds for the answer to an image, which a machine without time for the node may need


class Sample(NamedTuple):
    """The node's resources at rest, after a number of images."""

    images: int
    resources: Resources


@dataclass
class FaultRecord:
    """What came of one kind of fault. slowest_s: longest time until depth came again; images: most until then."""

    times: int = 0
    sent: int = 0
    slowest_s: float = 0.0
    images: int = 0


@dataclass
class Outcome:
    """What a run has found. problems: in words, empty if all went well."""

    samples: list[Sample] = field(default_factory=list)
    records: dict[str, FaultRecord] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Session:
    """The node between the camera's process and the listener. parameters_given: of the node, in their own types.

    scenery: a file of write_scenery.
    """

    def __init__(self, node: NodeProcess, listener: Listener, options, parameters_given: dict, scenery: Path):
        self.node, self.listener, self.parameters_given = node, listener, parameters_given
        self.books, self.outcome = Books(), Outcome()
        self._options, self._scenery = options, scenery
        self._sent_since = self.images = 0
        self._last_ns = 0
        self.camera = self._new_camera()

    def _new_camera(self) -> Worker:
        camera = Worker("reliability.soak.camera", ["--scenery", str(self._scenery)], "the camera")
        camera.answer(self._check)
        return camera

    def _check(self) -> None:
        if not self.node.is_running:
            raise BenchError(f"the node has ended with exit code {self.node.process.returncode}: {self.node.log}")

    def note(self, problem: str) -> None:
        """Note a problem."""
        self.outcome.problems.append(problem)

    def ask(self, question: dict) -> dict:
        """The camera's answer; its images count as sent."""
        return self._counted(self.camera.ask(question, self._check))

    def _counted(self, found: dict) -> dict:
        self._sent_since += found["sent"]
        self.images += found["sent"]
        return found

    def ask_later(self, question: dict) -> Callable[[], dict]:
        """Ask the camera; a function that waits for its answer."""
        self.camera.tell(question)
        return lambda: self._counted(self.camera.answer(self._check))

    def replace_camera(self) -> None:
        """Kill the camera's process, and start another. What it sent since its last answer is in no books."""
        self.camera.kill()
        self._sent_since = None
        self.camera = self._new_camera()

    def begin_anew(self) -> None:
        """The node was configured and counts from zero."""
        self.books.begin_anew()

    def connect(self, what: str = "good images", images: int = 0, seconds: float = PATIENCE) -> dict:
        """Good images until depth comes. images: most without an answer (0: as --recovery says)."""
        question = {"do": "connect", "images": images or self._options.recovery, "seconds": seconds}
        found = self.camera.ask(question, self._check)
        self.images += found["sent"]
        if self._sent_since is not None:
            self._sent_since += found["sent"]
        if not found["back"]:
            raise BenchError(f"{what}: no depth for {found['sent']} good images")
        self._last_ns = found["last_ns"]
        return found

    def enter(self, what: str, kind: str = PACED) -> None:
        """Enter the images since the last entry into the books, after one that was answered."""
        status = self.listener.status_of(self._last_ns, 30.0)
        if status is None:
            raise BenchError(f"{what}: the last status did not reach the listener")
        sent, self._sent_since = self._sent_since, 0
        self.books.enter(what, sent, counts_of(status), kind)

    def start(self) -> None:
        """Wait until the node's answers reach the camera and the listener, which find it one after the other."""
        for _ in range(START_IMAGES):
            self.connect("start", START_IMAGES, 0.5)
            if self.listener.status_of(self._last_ns, 0.5):
                break
        self.enter("start", UNCONNECTED)

    def good(self, count: int) -> None:
        """Good images, as fast as the node takes them or at the stated rate."""
        self.ask({"do": "good", "count": count, "seconds": 2.0, "rate": self._options.rate})

    def fault(self, name: str, seed: int) -> None:
        """One fault, and the images until depth comes again."""
        chosen = random.Random(seed)
        if name in MESSAGE_FAULTS:
            count = chosen.randint(self._options.times // 2, self._options.times)
            self.ask({"do": "fault", "name": name, "seed": seed, "count": count})
            kind = UNPACED
        else:
            kind = PROCESS_FAULTS[name](self, chosen)
        before = self._sent_since
        found = self.connect(f"{name} (seed {seed})")
        record = self.outcome.records.setdefault(name, FaultRecord())
        record.times += 1
        record.sent += before or 0
        record.slowest_s, record.images = max(record.slowest_s, found["seconds"]), max(record.images, found["images"])
        self.enter(f"{name} (seed {seed})", kind)

    def close(self) -> None:
        """End the camera's process."""
        self.camera.stop()

    def sample(self) -> None:
        """Read the node's resources."""
        self.outcome.samples.append(Sample(self.images, self.node.resources()))

    def run(self, report: Callable[["Session"], None]) -> None:
        """Faults and good images in turns until enough images were sent; report: called after each fault."""
        options, began, number = self._options, time.monotonic(), 0
        order = random.Random(options.seed)
        deck: list[str] = []
        self.start()
        while self.images < options.frames and time.monotonic() - began < options.seconds:
            if options.rounds is not None and not deck and number == options.rounds * len(options.faults):
                break
            if not deck:
                deck = order.sample(options.faults, len(options.faults))
            number += 1
            if deck:
                self.fault(deck.pop(), options.seed * 100_003 + number)
            self.good(options.between)
            found = self.connect(options.recovery)
            self._last_ns = found["last_ns"]
            self.enter("good images")
            self.sample()
            report(self)
        self.outcome.seconds = time.monotonic() - began
