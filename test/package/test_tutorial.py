# SPDX-License-Identifier: Apache-2.0
"""docs/tutorial.md: its bash blocks run in their order in an empty folder, with trainings cut to a few steps."""

import ast
import os
import re
import shlex
from pathlib import Path

import pytest

from monodepth_ros.cli.main import main as monodepth

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
if not PAGE.is_file():
    pytest.skip("an installed copy has no docs/ beside the tests", allow_module_level=True)

# The last value of a setting counts. Speed only: what is read, and the order of the commands, stay as on the page.
SHORTER = {
    "train": ["--set", "loop.max_steps=2", "--set", "loop.batch_size=2", "--set", "data.validation_frames=2"],
    "adapt": ["--steps", "2", "--set", "loop.batch_size=2", "--set", "data.validation_frames=2", "--duration", "2"],
    "run": ["--frames", "4", "--no-video"],
    "synth": ["--seconds", "4"],
    "calibrate": ["--radial-terms", "2"],
    "inspect": [],
}
OTHERS = ("ros2", "scripts/play", "cd", "mkdir", "export")  # not executed here
RESULTS = re.compile(r"^\$MONODEPTH_DATA/")


def commands():
    """Command lines of the bash blocks as texts; lines that end in a backslash go on."""
    for block in re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if shlex.split(line, comments=True):
                yield line


def words_of(line, data="$MONODEPTH_DATA"):
    return [word.replace("$MONODEPTH_DATA", str(data)) for word in shlex.split(line, comments=True)]


def declared_arguments(launch_file):
    calls = [node for node in ast.walk(ast.parse(launch_file.read_text())) if isinstance(node, ast.Call)]
    declared = [call for call in calls if getattr(call.func, "id", "") == "DeclareLaunchArgument"]
    return {ast.literal_eval(call.args[0]) for call in declared if isinstance(call.args[0], ast.Constant)}


def test_every_line_is_of_a_known_kind():
    unknown = [line for line in commands() if words_of(line)[0] not in ("monodepth", *OTHERS)]
    assert not unknown, unknown


def test_launch_lines_and_files_exist():
    launches = [words for words in map(words_of, commands()) if words[0] == "ros2"]
    assert len(launches) >= 3, launches
    for words in launches:
        assert words[:3] == ["ros2", "launch", "monodepth_ros"], words
        launch_file = ROOT / "launch" / words[3]
        unknown = {word.split(":=")[0] for word in words[4:]} - declared_arguments(launch_file)
        assert not unknown, (words, unknown)


def test_the_commands_run_in_their_order(monodepth_data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    walked = []
    for line in commands():
        words = words_of(line, monodepth_data)
        if words[0] != "monodepth":
            continue
        verb = words[1]
        code = monodepth([*words[1:], *SHORTER[verb]])
        said = capsys.readouterr()
        assert code == 0, f"{line}\n{said.out[-2000:]}\n{said.err[-2000:]}"
        walked.append(verb)
        assert said.out.strip(), line
        if verb == "inspect":
            assert re.search(r"^next +monodepth ", said.out, re.MULTILINE), said.out
    assert {"synth", "inspect", "calibrate", "train", "adapt", "run"} <= set(walked), walked
