# SPDX-License-Identifier: Apache-2.0
"""docs/reliability.md: every fault names a test that exists, and the table of limits is that of the code."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"
if not PAGE.is_file():
    pytest.skip("an installed copy has no docs/ beside the tests", allow_module_level=True)

TEXT = PAGE.read_text()
(TABLE,) = re.findall(r"<!-- faults -->(.*?)<!-- end of faults -->", TEXT, re.DOTALL)
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][2:]
FEWEST = 60


@pytest.fixture
def limits_table(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])  # behind the installed package
    from reliability import limits_table

    return limits_table


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_the_table_has_enough_rows_of_three_columns():
    assert len(ROWS) >= FEWEST
    assert [row for row in ROWS if len(cells(row)) != 3 or not all(cells(row))] == []


def test_every_row_names_a_test_that_exists():
    texts: dict[str, str] = {}
    missing = []
    for row in ROWS:
        named = re.fullmatch(r"`(test/[\w/]+\.py)::(test_\w+)`", cells(row)[2])
        if named is None:
            missing.append(row)
            continue
        file, name = named.groups()
        if file not in texts:
            texts[file] = (ROOT / file).read_text() if (ROOT / file).is_file() else ""
        if not re.search(rf"^(async )?def {name}\(", texts[file], re.MULTILINE):
            missing.append(f"{file}::{name}")
    assert not missing, "\n".join(missing)


def test_no_fault_stands_twice():
    faults = [cells(row)[0].lower() for row in ROWS]
    assert sorted(faults) == sorted(set(faults))


def test_the_limits_are_those_of_the_code(limits_table):
    assert limits_table.page_with_table(TEXT) == TEXT, "run scripts/docs"


def test_every_limit_has_a_row_with_its_value(limits_table):
    from monodepth_ros import limits

    names = [name for name in vars(limits) if name.isupper()]
    assert len(names) > 8 and [name for name, _, _ in limits_table.rows(limits_table.SOURCE.read_text())] == names


def test_a_limit_is_read_with_its_comment(limits_table):
    source = "# Texts.\nLONGEST = 200  # of a name\nA, B = -1.5, 2 << 20  # m\n\n# Ranges.\nC = 1e-6, 1e6  # m\n"
    assert limits_table.rows(source) == [
        ("LONGEST", "200", "of a name"),
        ("A", "-1.5", "m"),
        ("B", "2 Mi", "m"),
        ("C", "1e-06 to 1e+06", "m"),
    ]
