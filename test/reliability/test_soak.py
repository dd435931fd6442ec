# SPDX-License-Identifier: Apache-2.0
"""scripts/soak in a short run, and what it judges: the books of the images, the log, the trends of resources."""

import json
import re

import pytest

pytest.importorskip("rclpy", reason="no rclpy: run scripts/test, or source a ROS 2 set-up")


def test_every_kind_of_fault_is_survived_once_and_every_image_accounted_for(run_module, tmp_path):
    results, log = tmp_path / "soak.json", tmp_path / "node.log"
    # More images than all faults send: each of them comes once, by any order. Time is bounded generously.
    words = ("--seed", "17", "--rounds", "1", "--between", "2", "--times", "6", "--recovery", "100")
    process = run_module("reliability.soak", *words, "--json", str(results), "--log", str(log))
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    figures = json.loads(results.read_text())
    assert figures["problems"] == [] and figures["seed"] == 17
    assert len(figures["faults"]) >= 28 and {record["times"] for record in figures["faults"].values()} == {1}
    counts = figures["counts"]
    fates = sum(number for name, number in counts.items() if name not in ("frames_received", "frames_lost"))
    assert counts["frames_received"] == fates and counts["frames_processed"] > 100, counts
    assert "repeat with --seed 17" in process.stdout


@pytest.mark.parametrize("name", ["no_such_fault", ""])
def test_an_unknown_fault_is_named(run_module, name):
    process = run_module("reliability.soak", "--faults", name)
    assert process.returncode == 2 and "unknown fault" in process.stderr and "absurd_gyro" in process.stderr


def counts(**changes):
    names = ("received", "processed", "unwanted", "replaced", "duplicate", "invalid", "uncalibrated", "failed", "lost")
    return {f"frames_{name}": changes.get(name, 0) for name in names}


def test_books_balance_only_if_every_image_has_a_fate(checkout):
    from reliability.soak.accounts import UNCONNECTED, UNPACED, Books

    books = Books()
    books.enter("good", 10, counts(received=9, processed=6, invalid=3, lost=1))
    books.enter("burst", 10, counts(received=15, processed=8, invalid=3, replaced=4, lost=1), UNPACED)
    books.begin_anew()
    books.enter("connecting", 5, counts(received=2, processed=2), UNCONNECTED)
    assert books.faults == [] and (books.paced, books.unpaced, books.unseen, books.unconnected) == (10, 10, 4, 5)
    for sent, now, kind in (
        (3, counts(received=4, processed=4), "paced"),  # one is missing
        (1, counts(received=6, processed=6), UNPACED),  # one too many
        (2, counts(received=8, processed=7), UNCONNECTED),  # one without a fate
        (2, counts(received=7, processed=7), UNCONNECTED),  # a count went back
    ):
        before = len(books.faults)
        books.enter("wrong", sent, now, kind)
        assert len(books.faults) > before, (sent, now, kind)


def test_the_log_is_judged_by_line_cause_and_volume(checkout, tmp_path):
    from reliability.soak.log_check import log_faults

    def faults(*lines, seconds=10.0):
        path = tmp_path / "log"
        path.write_text("\n".join(lines) + "\n")
        return log_faults(path, seconds)[0]

    def line(time, text):
        return f"[WARN] [{time:.3f}] [depth_node]: {text}"

    assert faults(*(line(5.1 * i, f"{i} images of 'topic{i}' lost") for i in range(20))) == []
    for lines, found in (
        ([line(i, f"{i} images of 'topic{i}' lost") for i in range(4)], "4 lines within 5 s"),
        ([line(0, "red \x1b[31m text")], "cannot be printed"),
        ([line(0, "x" * 3000)], "has 30.. characters"),
        (["Traceback (most recent call last):"], "Traceback"),
        ([line(0, "frame not processed: KeyError")], "frame not processed"),
        (["libjpeg: corrupt"] * 50, "50 lines of libraries"),
        ([line(10 * i, f"{'ab' * 500} {chr(97 + i % 26)}") for i in range(100)], "bytes in 10 s"),
    ):
        assert any(re.search(found, text) for text in faults(*lines)), (found, faults(*lines))


def test_a_trend_is_that_of_medians_after_the_warm_up(checkout):
    from reliability.soak.node_process import Resources
    from reliability.soak.session import Sample
    from reliability.soak.verdict import trends

    def samples(memory, threads=lambda i: 20):
        return [Sample(i, Resources(memory(i), threads(i), 30)) for i in range(200)]

    def kept(found):
        return [trend.is_kept for trend in found]

    assert trends(samples(lambda i: 400.0)[:30]) == []
    assert kept(trends(samples(lambda i: 300.0 + min(i, 30)))) == [True] * 3  # grows in the warm-up alone
    assert kept(trends(samples(lambda i: 400.0 + 80.0 * (i == 199)))) == [True] * 3  # one reading
    assert kept(trends(samples(lambda i: 400.0 + 0.1 * i))) == [False, True, True]
    assert kept(trends(samples(lambda i: 400.0, threads=lambda i: 20 + i // 100))) == [True, False, True]
