# SPDX-License-Identifier: Apache-2.0
"""Texts from outside, made fit for a log and a terminal."""

import pytest

from monodepth_ros.errors import MonodepthError, one_line, typed_line
from monodepth_ros.foreign_text import safe_line, shown
from monodepth_ros.limits import LONGEST_MESSAGE, LONGEST_NAME


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("camera_link", "camera_link"),
        ("Rückfahrkamera 前", "Rückfahrkamera 前"),
        ("red\x1b[31m", "red?[31m"),
        ("two\nlines\r\tand more", "two lines and more"),
        ("bell\x07, delete\x7f, C1 \x9b31m", "bell?, delete?, C1 ?31m"),
        ("turned \u202egnp.exe", "turned ?gnp.exe"),
        ("file \udcff", "file ?"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_a_name_is_printed_on_one_line_without_control_characters(text, expected):
    assert shown(text) == expected
    assert safe_line(text) == expected


def test_a_long_name_keeps_its_beginning_and_its_end():
    text = shown("first" + "x" * 1_000_000 + "last")
    assert len(text) == LONGEST_NAME
    assert text.startswith("first")
    assert text.endswith("last")


def test_a_message_cuts_long_words_and_its_own_length():
    name = "n" * 5000
    assert safe_line(f"cannot read {name}: no such file").endswith(": no such file")
    assert len(safe_line(f"cannot read {name}: no such file")) < LONGEST_NAME + 40
    assert len(safe_line("word " * 10_000)) <= LONGEST_MESSAGE


def test_errors_never_hold_what_steers_a_terminal():
    hostile = "frame\x1b]0;title\x07\n" + "y" * 10_000
    assert "\x1b" not in str(MonodepthError(hostile))
    assert len(str(MonodepthError(hostile))) < 2 * LONGEST_NAME + 20
    for line in (one_line(ValueError(hostile)), typed_line(ValueError(hostile))):
        assert line.isprintable()
        assert len(line) < 2 * LONGEST_NAME + 20


def test_an_error_keeps_arguments_that_are_no_text():
    assert MonodepthError("text", 5).args == ("text", 5)
