# SPDX-License-Identifier: Apache-2.0
"""What a soak run must keep: the books balance, memory, threads and handles stay, log and outputs are sound."""

from statistics import median
from typing import NamedTuple

from monodepth_ros.ros.live.counters import DROP_CAUSES, LOST, PROCESSED, RECEIVED
from reliability.soak.log_check import log_faults
from reliability.soak.session import Sample, Session

MEMORY_GROWTH = 10.0  # MB, from after the warm-up to the end
WARM_UP = 0.2  # share of the samples
FEWEST_SAMPLES = 40  # that tell a trend
END_SECONDS = 10.0  # for the node's end by SIGINT
LONGEST_LIST = 20  # problems printed of one kind


class Trend(NamedTuple):
    """A resource just after the warm-up and at the end, each the median of a tenth of the samples."""

    name: str
    before: float
    after: float
    limit: float

    @property
    def is_kept(self) -> bool:
        return self.after - self.before <= self.limit


def trends(samples: list[Sample]) -> list[Trend]:
    """The trends of memory [MB], threads and handles; empty for fewer than FEWEST_SAMPLES."""
    if len(samples) < FEWEST_SAMPLES:
        return []
    settled = samples[int(WARM_UP * len(samples)) :]
    count = max(3, len(settled) // 10)
    found = []
    for name, field, limit in (
        ("memory [MB]", "memory_mb", MEMORY_GROWTH),
        ("threads", "threads", 0.0),
        ("handles", "handles", 0.0),
    ):
        values = [float(getattr(sample.resources, field)) for sample in settled]
        found.append(Trend(name, median(values[:count]), median(values[-count:]), limit))
    return found


def judge(session: Session, end: tuple[int | None, float]) -> dict:
    """Figures and problems of a run whose node has ended. end: exit code (None: killed) and time of its end [s]."""
    books, outcome, listener = session.books, session.outcome, session.listener
    problems = [*outcome.problems, *books.faults]
    found = trends(outcome.samples)
    problems += [
        f"{trend.name} grew from {trend.before:.1f} to {trend.after:.1f}, more than {trend.limit:.0f}"
        for trend in found
        if not trend.is_kept
    ]
    problems += [f"{count} times {what}" for what, count in listener.unsound.items()]
    code, seconds = end
    if code != 0:
        problems.append(f"the node ended with exit code {code}, after {seconds:.1f} s")
    in_log, log = log_faults(session.node.log, outcome.seconds)
    problems += in_log[:LONGEST_LIST]
    if len(in_log) > LONGEST_LIST:
        problems.append(f"{len(in_log) - LONGEST_LIST} more faults in {session.node.log}")
    if not books.totals[PROCESSED]:
        problems.append("no image was processed")
    return {
        "images": session.images,
        "seconds": outcome.seconds,
        "paced": books.paced,
        "unpaced": books.unpaced,
        "unseen": books.unseen,
        "unconnected": books.unconnected,
        "counts": books.totals,
        "samples": [(sample.images, round(sample.resources.memory_mb, 1)) for sample in outcome.samples],
        "trends": [trend._asdict() for trend in found],
        "log": log,
        "end_seconds": seconds,
        "outputs": dict(sorted(listener.counts.items())),
        "faults": {name: vars(record) for name, record in sorted(outcome.records.items())},
        "problems": problems,
    }


def progress_line(session: Session) -> str:
    """One line of the moment."""
    totals, resources = session.books.totals, session.outcome.samples[-1].resources
    return (
        f"{session.images} images sent, {totals[PROCESSED]} processed, {totals[LOST]} lost;"
        f" {resources.memory_mb:.0f} MB, {resources.threads} threads, {resources.handles} handles;"
        f" {len(session.outcome.records)} kinds of faults"
    )


def table(figures: dict, seed: int) -> str:
    """The figures as text for people."""
    counts = figures["counts"]
    causes = ", ".join(f"{counts[name]} {name.removeprefix('frames_')}" for name in DROP_CAUSES)
    lines = [
        f"{figures['paced']} images sent one by one: each received or counted as lost",
        f"{figures['unpaced']} images sent without waiting: {figures['unseen']} of them replaced on the way",
        f"{figures['unconnected']} images sent while camera or node came or went",
        f"{counts[RECEIVED]} received = {counts[PROCESSED]} processed, {causes}; {counts[LOST]} lost on the way",
        f"{figures['images'] / max(figures['seconds'], 1e-9):.1f} images/s over {figures['seconds']:.0f} s",
    ]
    lines += [f"{t['name']}: {t['before']:.1f} after warm-up, {t['after']:.1f} at the end" for t in figures["trends"]]
    if not figures["trends"]:
        lines.append(f"memory, threads and handles: not judged, fewer than {FEWEST_SAMPLES} readings")
    log = figures["log"]
    lines.append(
        f"log: {log['lines']} lines, {log['bytes'] / 1000:.0f} kB; end by SIGINT: {figures['end_seconds']:.1f} s"
    )
    lines.append("outputs: " + ", ".join(f"{count} {topic}" for topic, count in figures["outputs"].items()))
    lines.append(f"{'fault':26s}{'times':>6s}{'images':>8s}{'depth again after [s]':>23s}{'images':>8s}")
    lines += [
        f"{name:26s}{one['times']:6d}{one['sent']:8d}{one['slowest_s']:23.2f}{one['images']:8d}"
        for name, one in figures["faults"].items()
    ]
    problems = figures["problems"]
    lines += [f"PROBLEM: {text}" for text in problems]
    lines.append(f"{'FAILED' if problems else 'passed'}: {len(problems)} problems; repeat with --seed {seed}")
    return "\n".join(lines)
