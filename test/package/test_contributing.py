# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md names files that exist, and the layers that the layer test enforces."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
# Made by scripts/setup, or of other programs.
MADE_HERE = re.compile(r"\.venv|build|install/?|log/|/opt/")
LAYERS = re.compile(r"^\| ((?:`\w+/`(?:, )?)+) \|", re.MULTILINE)


def named_paths() -> set[str]:
    """Code in backticks that looks like a path: with a slash, or with an ending that files here have."""
    words = {word for code in re.findall(r"`([^`\n]+)`", PAGE) for word in code.split()}
    paths = {
        word for word in words if re.fullmatch(r"[\w.-]*(/[\w.-]*)+|[\w-]+\.(py|md|rst|txt|cfg|toml|xml|yaml)", word)
    }
    return {path for path in paths if not MADE_HERE.match(path)}


def test_every_path_that_is_named_exists():
    paths = named_paths()
    assert len(paths) > 60, sorted(paths)
    missing = [path for path in paths if not any((folder / path).exists() for folder in (ROOT, ROOT / "monodepth_ros"))]
    assert not missing, sorted(missing)


def test_every_name_of_the_code_that_is_mentioned_is_there():
    """Constants and classes in backticks, somewhere in the package or its tests."""
    names = set(re.findall(r"`([A-Z][A-Z_]{5,}|[A-Z]\w+[a-z][A-Z]\w+)`", PAGE)) - {"MONODEPTH_DATA", "MONODEPTH_PYTHON"}
    names -= {"MONODEPTH_ROS_DISTRO"}
    sources = [*(ROOT / "monodepth_ros").rglob("*.py"), *(ROOT / "test" / "package").glob("*.py")]
    code = "\n".join(path.read_text() for path in sources if path != Path(__file__))
    assert len(names) > 8, names
    missing = [name for name in names if not re.search(rf"^(class )?{name}\b", code, re.MULTILINE)]
    assert not missing, missing


def test_the_table_of_layers_is_the_one_that_is_enforced():
    tree = ast.parse((ROOT / "test" / "package" / "test_layers.py").read_text())
    (tiers,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "TIERS"
    ]
    folders = [tuple(name for name in tier if (ROOT / "monodepth_ros" / name).is_dir()) for tier in tiers]
    assert [tuple(re.findall(r"\w+", row)) for row in LAYERS.findall(PAGE)] == [tier for tier in folders if tier]


def test_the_environment_variables_of_the_page_are_those_of_the_scripts():
    scripts = "\n".join(path.read_text() for path in [*(ROOT / "scripts").iterdir(), ROOT / "test" / "conftest.py"])
    assert {name for name in re.findall(r"`(MONODEPTH_\w+)`", PAGE) if name not in scripts} == set()


def test_lines_fit_a_screen():
    long = [line for line in PAGE.splitlines() if len(line) > 130 and not line.startswith("|")]
    assert not long, long
