# SPDX-License-Identifier: Apache-2.0
"""docs/tutorial.md: its bash blocks run in their order in an empty folder, with trainings cut to a few steps."""

import configparser
import re
import shlex
import shutil
from pathlib import Path

import pytest

from monodepth_ros.cli.main import main as monodepth

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
if not PAGE.is_file():
    pytest.skip("an installed copy has no docs/ beside the tests", allow_module_level=True)

# The last value of an option counts. calibrate reads a turn, and has to write what so few frames do not determine.
BRIEFLY = ["--set", "loop.batch_size=2", "--set", "data.validation_frames=2", "--set"]
SHORTER = {
    "synth": ["--seconds", "3"],
    "inspect": ["--duration", "2"],
    "calibrate": ["--start", "4", "--duration", "4", "--every", "4", "--radial-terms", "1", "--force"],
    "train": ["--duration", "4", *BRIEFLY, "loop.max_steps=2"],
    "adapt": ["--duration", "4", *BRIEFLY[:-1], "--steps", "2"],
    "run": ["--frames", "3"],
}
# Where two steps are not worth keeping, what was learned stands in for what a reader keeps.
LEARNED, KEPT = "best.safetensors", "adapted.safetensors"


def commands():
    """Command lines of the bash blocks as texts; lines that end in a backslash go on."""
    for block in re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if shlex.split(line, comments=True):
                yield line


def words_of(line, data="$MONODEPTH_DATA"):
    return [word.replace("$MONODEPTH_DATA", str(data)) for word in shlex.split(line, comments=True)]


def test_every_line_is_of_this_package():
    lines = [words_of(line)[:3] for line in commands()]
    strange = [words for words in lines if words[0] != "monodepth" and words[::2] != ["ros2", "monodepth_ros"]]
    assert len(lines) > 15 and not strange, strange


def test_launch_lines_name_launch_files_and_arguments_that_exist(launch_arguments):
    launches = [words for words in map(words_of, commands()) if words[:2] == ["ros2", "launch"]]
    assert len(launches) >= 3, launches
    for words in launches:
        unknown = {word.split(":=")[0] for word in words[4:]} - set(launch_arguments(ROOT / "launch" / words[3]))
        assert not unknown, (words, unknown)


def test_executables_exist():
    config = configparser.ConfigParser(delimiters=("=",))
    config.read(ROOT / "setup.cfg")
    named = {words[3] for words in map(words_of, commands()) if words[:2] == ["ros2", "run"]}
    assert named == {"depth_node", "play"} and named <= set(config["ros_executables"]), named


def test_the_commands_run_in_their_order(monodepth_data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    walked = []
    for line in commands():
        program, verb, *words = words_of(line, monodepth_data)
        if program != "monodepth":
            continue
        code = monodepth([verb, *words, *SHORTER[verb]])
        said = capsys.readouterr()
        assert code == 0, f"{line}\n{said.out[-2000:]}\n{said.err[-2000:]}"
        if verb != "synth":
            assert re.search(r"^next +monodepth ", said.out, re.MULTILINE), f"{line}: no next command in\n{said.out}"
        if verb == "adapt":
            folder = Path(words[words.index("--out") + 1])
            if not (folder / KEPT).exists():
                shutil.copy(folder / LEARNED, folder / KEPT)
        walked.append(verb)
    assert set(walked) == set(SHORTER), walked
