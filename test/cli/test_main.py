# SPDX-License-Identifier: Apache-2.0
"""The `monodepth` command: its verbs, and how little of the package it imports."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from monodepth_ros import cli
from monodepth_ros.cli.main import VERBS, main
from monodepth_ros.version import __version__

COUNT_IMPORTS = """
import sys
from monodepth_ros.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
heavy = [name for name in ("torch", "cv2", "numpy", "yaml") if name in sys.modules]
print("imported", *heavy, file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_no_verb(arguments):
    result = subprocess.run(
        [sys.executable, "-c", COUNT_IMPORTS, *arguments], capture_output=True, text=True, check=True
    )
    assert result.stderr.splitlines()[-1] == "imported", result.stderr
    if arguments == ["--version"]:
        assert result.stdout.split() == ["monodepth_ros", __version__]
    else:
        text = " ".join(result.stdout.split())
        for verb, summary in VERBS.items():
            assert f"{verb} {summary}" in text, verb


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_describes_itself(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"usage: monodepth {verb}" in text
    assert len(text.partition("\n\n")[2].partition("\n\n")[0]) > 20, "no description"


def test_an_unknown_verb_is_refused_with_the_list(capsys):
    with pytest.raises(SystemExit) as end:
        main(["levitate"])
    error = capsys.readouterr().err
    assert end.value.code == 2 and "levitate" in error and "evaluate" in error


def test_no_verb_imports_another_one():
    folder = Path(cli.__file__).parent
    for verb in VERBS:
        assert callable(import_module(f"monodepth_ros.cli.{verb}").run)
        for node in ast.walk(ast.parse((folder / f"{verb}.py").read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            others = [name for name in names if name.removeprefix("monodepth_ros.cli.") in VERBS]
            assert not others, f"{verb} imports {others}"
