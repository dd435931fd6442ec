# SPDX-License-Identifier: Apache-2.0
"""The `monodepth` command: its verbs, and how little of the package it imports."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from monodepth_ros import cli
from monodepth_ros.cli.main import VERBS, command_parser, main
from monodepth_ros.cli.training_arguments import training_changes
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


@pytest.mark.parametrize(
    ("words", "usage", "advice"),
    [
        (["trani", "a.mcap"], "monodepth VERB ...", "unknown verb 'trani': did you mean train?"),
        (["run", "a", "--calibraton", "b"], "monodepth run SOURCE ... [options]", "did you mean --calibration?"),
        (["extract", "a", "--otu=b"], "monodepth extract RECORDING ... --out FOLDER [options]", "did you mean --out?"),
        (["evaluate", "depht", "a"], "monodepth evaluate depth|odometry ...", "'depht' is none of depth, odometry"),
        (["evaluate", "odometry", "--topik", "/a"], "monodepth evaluate odometry [source] [options]", "--topic?"),
        (["train", "a", "--preset", "compcat"], "monodepth train [RECORDING ...] [options]", "did you mean compact?"),
        (["info", "a", "b"], "monodepth info [CHECKPOINT] [options]", "unexpected argument 'b'"),
    ],
)
def test_a_typo_gets_the_usage_of_its_verb_and_the_nearest_name(words, usage, advice, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    first, second, *more = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and not more
    assert first == f"usage: {usage}" and advice in second, (first, second)


@pytest.mark.parametrize("verb", ["run", "train", "inspect", "adapt", "extract", "evaluate depth", "evaluate odometry"])
def test_every_verb_that_reads_recordings_has_the_same_options_about_them(verb, capsys):
    with pytest.raises(SystemExit):
        main([*verb.split(), "--help"])
    known = capsys.readouterr().out
    names = ["--topic", "--camera-info", "--camera", "--calibration", "--rectified", "--rate", "--start", "--duration"]
    names += [] if verb in ("inspect", "extract") else ["--device", "--precision"]
    names += ["--engine", "--checkpoint"] if verb.startswith(("run", "evaluate")) else []
    assert [name for name in names if f"  {name}" not in known] == []


def test_options_may_stand_between_recordings():
    parser = command_parser(["train"])
    options = parser.parse_args(["train", "a.mcap", "--topic", "/left", "b.mcap", "--duration", "5", "c.mcap"])
    assert options.recordings == ["a.mcap", "b.mcap", "c.mcap"] and options.topic == "/left"
    changes = training_changes(options)
    assert changes == {
        "data.recordings": ["a.mcap", "b.mcap", "c.mcap"],
        "data.topic": "/left",
        "data.duration": 5.0,
    }


def test_no_verb_imports_another_one():
    folder = Path(cli.__file__).parent
    for verb in VERBS:
        assert callable(import_module(f"monodepth_ros.cli.{verb}").run)
        for node in ast.walk(ast.parse((folder / f"{verb}.py").read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            others = [name for name in names if name.removeprefix("monodepth_ros.cli.") in VERBS]
            assert not others, f"{verb} imports {others}"


@pytest.mark.parametrize("word", ["a\0b", "\ud800"])
def test_words_that_no_command_line_has_are_refused(word, capsys):
    assert main(["info", "--checkpoint", word]) == 2
    assert "holds a character that no command line has" in capsys.readouterr().err
