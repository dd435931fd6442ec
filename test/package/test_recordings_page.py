# SPDX-License-Identifier: Apache-2.0
"""docs/recordings.md: every row of its table names a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "recordings.md"
if not PAGE.is_file():
    pytest.skip("an installed copy has no docs/ beside the tests", allow_module_level=True)

ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][2:]


def test_the_table_has_rows_of_four_columns():
    assert len(ROWS) > 40
    assert [row for row in ROWS if len(re.split(r"(?<!\\)\|", row)) != 6] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_row_names_a_test_that_exists(row):
    named = re.findall(r"`(test/[\w/]+\.py)::(\w+)`", row.rpartition("|")[0].rpartition("|")[2])
    assert named, row
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(), (file, name)


def test_no_two_rows_say_the_same():
    firsts = [row.split("|")[1].strip().lower() for row in ROWS]
    assert len(set(firsts)) == len(firsts)
