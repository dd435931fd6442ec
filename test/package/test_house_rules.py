# SPDX-License-Identifier: Apache-2.0
"""Rules that keep the code readable: sizes, calls, docstrings."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES = 300
FUNCTION_LINES = 60
POSITIONAL = 6
# Turns of phrase that hide the subject or the verb of a sentence.
RIDDLES = re.compile(r'"""Of |so many |by what it|, too: ')


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


CODE = sources("monodepth_ros", "bench", "reliability", "launch")


def long_functions(text: str) -> list[tuple[str, int]]:
    """(name, lines) of the functions in `text` that are longer than FUNCTION_LINES."""
    functions = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    lengths = ((function.name, function.end_lineno - function.lineno + 1) for function in functions)
    return [(name, length) for name, length in lengths if length > FUNCTION_LINES]


def crowded_calls(text: str) -> list[tuple[str, int]]:
    """(called, line) of the calls in `text` with more than POSITIONAL arguments without a name."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [(ast.unparse(call.func), call.lineno) for call in calls if len(call.args) > POSITIONAL]


def test_no_module_is_too_long():
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in CODE}
    assert not {str(path): lines for path, lines in lengths.items() if lines > MODULE_LINES}


def test_no_function_is_too_long():
    found = {str(path.relative_to(ROOT)): long_functions(path.read_text()) for path in CODE}
    assert not {path: functions for path, functions in found.items() if functions}


def test_no_call_has_more_than_six_arguments_without_names():
    found = {str(path.relative_to(ROOT)): crowded_calls(path.read_text()) for path in CODE}
    assert not {path: calls for path, calls in found.items() if calls}


def test_no_text_hides_its_subject():
    files = [*CODE, *sources("test"), *ROOT.glob("docs/**/*.md"), ROOT / "README.md"]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if RIDDLES.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (long_functions, "def f():\n" + "    pass\n" * FUNCTION_LINES),
        (crowded_calls, "f(1, 2, 3, 4, 5, 6, 7)"),
    ],
)
def test_what_breaks_a_rule_is_found(check, text):
    assert len(check(text)) == 1
    assert not check("def f():\n    return g(1, 2, 3, 4, 5, 6, h=7)\n")
