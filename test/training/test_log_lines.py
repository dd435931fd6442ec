# SPDX-License-Identifier: Apache-2.0
"""Logs of trainings, whatever became of their files."""

import json
import os

import pytest

from monodepth_ros.errors import MonodepthError
from monodepth_ros.limits import LONGEST_LOG_LINE
from monodepth_ros.training.log_lines import log_lines
from monodepth_ros.training.report import write_report
from monodepth_ros.training.run_log import NAME, RunLog
from monodepth_ros.training.verdict import reason_against_learning

GOOD = [
    {"step": 0, "kind": "validation", "loss": 0.3, "spread": 0.1},
    {"step": 1, "kind": "train", "epoch": 0, "total": 0.2, "mean": None, "learning_rate": 1e-4},
    {"step": 2, "kind": "skipped", "samples": ["a", "b"]},
]
NONSENSE = {
    "half a line": b'{"step": 3, "kind": "tr',
    "NUL bytes": b"\x00" * 4096,
    "no UTF-8": b"\xff\xfe\x00nonsense",
    "a text": b'"step"',
    "a list": b"[1, 2]",
    "no step": b'{"kind": "train"}',
    "no kind": b'{"step": 1}',
    "a step that is a text": b'{"step": "1", "kind": "train"}',
    "a negative step": b'{"step": -1, "kind": "train"}',
    "a step without end": b'{"step": 1e999, "kind": "train"}',
    "a step that is true": b'{"step": true, "kind": "train"}',
    "a kind that is a number": b'{"step": 1, "kind": 7}',
    "a loss that is a text": b'{"step": 1, "kind": "validation", "loss": "low"}',
    "a loss that is a list": b'{"step": 1, "kind": "validation", "loss": [0.1]}',
    "samples that are numbers": b'{"step": 1, "kind": "skipped", "samples": [1]}',
    "a step of thousands of digits": b'{"step": ' + b"9" * 5000 + b', "kind": "train"}',
    "deep nesting": b'{"step": 1, "kind": ' + b"[" * 100_000,
    "a name of thousands of letters": b'{"step": 1, "kind": "train", "' + b"a" * 5000 + b'": 1}',
    "a line that is too long": b'{"step": 1, "kind": "train", "total": ' + b" " * LONGEST_LOG_LINE + b"1}",
}


def lines(*before_last):
    good = [json.dumps(line).encode() for line in GOOD]
    return b"\n".join([*good[:2], *before_last, good[2]]) + b"\n"


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_good_lines_are_kept_and_a_note_counts_the_others(tmp_path, nonsense):
    (tmp_path / NAME).write_bytes(lines(nonsense))
    found, note = log_lines(tmp_path / NAME)
    assert found == GOOD
    assert str(tmp_path / NAME) in note and "1 line is no line of a log" in note and "first is line 3" in note
    log = RunLog(tmp_path, step=2)
    assert log.note == note
    log.write(3, kind="train", total=0.1)
    log.close()
    assert log_lines(tmp_path / NAME) == ([*GOOD, {"step": 3, "kind": "train", "total": 0.1}], "")


def test_numbers_that_are_not_finite_become_unknown(tmp_path):
    (tmp_path / NAME).write_text(
        '{"step": 1, "kind": "train", "total": NaN, "mean": 1e999, "rate": 1' + "0" * 400 + "}"
    )
    assert log_lines(tmp_path / NAME) == ([{"step": 1, "kind": "train", "total": None, "mean": None, "rate": None}], "")


def test_a_report_and_a_verdict_are_made_of_any_good_lines(tmp_path):
    (tmp_path / NAME).write_bytes(lines(*NONSENSE.values()))
    write_report(tmp_path, [], {})
    assert "Curves" in (tmp_path / "report.html").read_text()
    validations = [line for line in log_lines(tmp_path / NAME)[0] if line["kind"] == "validation"]
    assert reason_against_learning([*validations, {"step": 1, "kind": "validation", "loss": None}]) == ""


def test_a_good_log_leaves_no_note(tmp_path):
    (tmp_path / NAME).write_bytes(lines(b"", b"  "))
    assert log_lines(tmp_path / NAME) == (GOOD, "")


def test_a_log_that_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none"):
        with pytest.raises(MonodepthError, match="no ordinary file|is a folder|cannot be read"):
            log_lines(path)
