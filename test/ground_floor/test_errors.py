# SPDX-License-Identifier: Apache-2.0
"""Error texts on one line."""

import errno
import os

import pytest

from monodepth_ros.errors import one_line, typed_line


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("first line.\n  second line."), "first line. second line"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/some/path"), "No space left on device"),
        (OSError("a text without a number"), "a text without a number"),
        (KeyError(), "KeyError"),
        (ValueError(" \n"), "ValueError"),
    ],
)
def test_an_error_becomes_one_line(error, expected):
    assert one_line(error) == expected


def test_a_long_text_is_cut():
    assert one_line(ValueError("word " * 50), limit=9) == "word word"


def test_a_line_for_the_log_starts_with_the_type():
    assert typed_line(ValueError("first\nsecond")) == "ValueError: first second"
    assert typed_line(ValueError()) == "ValueError"
