# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md quotes messages that the code has, and names settings that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
if not PAGE.is_file():
    pytest.skip("an installed copy has no docs/ beside the tests", allow_module_level=True)

PLACE = "\0"  # of a value in an f-string


def texts_of_the_code():
    """Every string of the package, with PLACE for the values of f-strings."""
    for path in (ROOT / "monodepth_ros").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else PLACE for part in node.values)


TEXTS = list(texts_of_the_code())


def entries():
    """Symptom, cause and remedy of each entry: "- **symptom**: cause." and "Do: remedy.", over several lines."""
    for text in re.findall(r"^- (.*?)(?=^- |^#|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        yield re.fullmatch(r"\*\*(.+?)\*\*: (.+) Do: (.+)", " ".join(text.split()))


def quotations():
    return [text for entry in entries() for text in re.findall(r'"([^"]+)"', entry.group(0))]


def is_said(quotation):
    """Whether one string of the code holds the quotation's parts, which stand around '...', in their order."""
    pattern = ".*".join(re.escape(part.strip()) for part in quotation.split("..."))
    return any(re.search(pattern, text, re.DOTALL) for text in TEXTS)


def test_every_entry_has_symptom_cause_and_remedy():
    found = list(entries())
    assert len(found) >= 25 and None not in found, found


def test_every_quoted_message_is_in_the_code():
    found = quotations()
    assert len(found) >= 25, found
    assert not [text for text in found if not is_said(text)]


def test_a_message_that_nobody_says_is_found():
    assert not is_said("no such message is said ... anywhere")


def test_settings_exist():
    known = (ROOT / "docs" / "parameters.md").read_text() + (ROOT / "config" / "train.yaml").read_text()
    named = {
        name.split(".")[-1]
        for entry in entries()
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)(?:: [^`]+)?`", entry.group(0))
        if not name.endswith((".webm", ".html", ".json", ".mcap", ".yaml"))
    }
    missing = {name for name in named if name not in known}
    assert len(named) > 8 and not missing, missing
