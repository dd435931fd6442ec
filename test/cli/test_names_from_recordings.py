# SPDX-License-Identifier: Apache-2.0
"""Names from recordings steer no terminal and fill no screen: topics, frames, files, choices, notes."""

import argparse
import os

import numpy as np
import pytest

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.cli.next_commands import next_lines
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.source_arguments import print_choices
from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceChoiceError
from monodepth_ros.foreign_text import SafeLines, drawable, few, printable
from monodepth_ros.limits import LONGEST_MESSAGE, MOST_LISTED

HOSTILE = "/cam\x1b[31mera\u202e/" + "x" * 5000 + "/image_raw"
NS = 1_700_000_000_000_000_000


def write(path, topics=(HOSTILE,), frame="f\x1b[2J\n" + "y" * 5000):
    with BagWriter(path) as bag:
        for topic in topics:
            bag.add_topic(topic, "sensor_msgs/msg/Image")
        for i in range(3):
            for topic in topics:
                header = messages.header(NS + i * 10**8, frame)
                bag.write(topic, NS + i * 10**8, messages.image(header, np.full((6, 8, 3), 20 * i, np.uint8), "rgb8"))
    return path


def are_fit_to_print(text, lines=80):
    assert all(line.isprintable() and len(line) <= LONGEST_MESSAGE + 40 for line in text.split("\n")), text[:500]
    assert text.count("\n") < lines


def test_a_source_with_hostile_names_describes_itself_in_printable_lines(tmp_path):
    with open_source(str(write(tmp_path / "a.mcap"))) as source:
        assert len(list(source.frames())) == 3
        for text in (source.description, *source.notes, *(text for _, text in source.references)):
            are_fit_to_print(text, 1)


@pytest.mark.parametrize("verb", ["inspect", "run", "calibrate", "evaluate depth", "extract"])
def test_every_verb_prints_printable_lines(tmp_path, capsys, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    words = {"extract": ["--out", "out"], "calibrate": ["--out", "c.yaml"], "run": ["--results", "r", "--frames", "2"]}
    monodepth([*verb.split(), str(write(tmp_path / "a.mcap")), *words.get(verb, [])])
    printed = capsys.readouterr()
    are_fit_to_print(printed.out)
    are_fit_to_print(printed.err.replace("\r", "\n"))
    for page in tmp_path.rglob("report.html"):
        assert "\x1b" not in page.read_text()


@pytest.mark.parametrize("name", [b"ann\xe9e.mcap", b"\x1b[31mred.mcap"])
def test_files_with_names_in_other_encodings_are_read_and_named(tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / os.fsdecode(name)
    write(tmp_path / "a.mcap", ["/camera/image_raw"], "camera").rename(path)
    assert monodepth(["run", str(path), "--results", "r", "--frames", "2"]) == 0
    printed = capsys.readouterr()
    are_fit_to_print(printed.out)
    are_fit_to_print(printed.err.replace("\r", "\n"))


def test_of_many_choices_the_first_are_printed(tmp_path, capsys):
    topics = [f"/camera_{i}/image_raw" for i in range(30)]
    path = write(tmp_path / "a.mcap", topics, "camera")
    with pytest.raises(SourceChoiceError) as caught:
        open_source(str(path))
    print_choices(caught.value, argparse.Namespace(verb="run", arguments=["run", str(path)]))
    printed = capsys.readouterr().err
    assert printed.count("--topic") == MOST_LISTED and printed.endswith("  and 10 more\n")
    with Recording(path) as recording, pytest.raises(RecordingError, match=r"camera_9.* and 10 more|and 10 more"):
        recording.topic("/none")


def test_choices_with_hostile_names_are_printed_on_one_line_each(capsys):
    error = SourceChoiceError("choose one:", [["--topic", HOSTILE], ["--topic", "/a"]])
    print_choices(error, argparse.Namespace(verb="run", arguments=["run", "a.mcap"]))
    printed = capsys.readouterr().err
    are_fit_to_print(printed, 4)
    assert "monodepth run a.mcap --topic /a" in printed


def test_of_many_topics_inspect_lists_those_in_use_and_the_first():
    topics = [{"name": f"/t{i}", "type": "std_msgs/msg/String", "count": 1} for i in range(10_000)]
    topics[9000] |= {"name": "/camera/image_raw", "use": "image"}
    found = [value for name, value in _topic_lines(topics) if name == "topic"]
    assert len(found) == MOST_LISTED + 1 and found[0].endswith(": image") and found[-1] == "and 9980 more"
    assert len(_topic_lines(topics[:MOST_LISTED])) == MOST_LISTED


def _topic_lines(topics):
    from monodepth_ros.cli import inspection_lines

    return inspection_lines._topic_lines(topics)


def test_facts_and_commands_are_printable_and_bounded(capsys):
    print_facts([("frame", "a\x1b[2J" + "b" * 9000), ("  next", "  two  spaces")])
    printed = capsys.readouterr().out
    are_fit_to_print(printed, 3)
    assert "  two  spaces" in printed
    assert len(next_lines("monodepth run " + "x" * 9000)[0][1]) <= LONGEST_MESSAGE


def test_lists_of_names_and_lines_are_made_fit_as_they_grow():
    assert few(["a", "b\n", "c"], 2) == "a, b and 1 more" and few(["a", "b"], joint=" or ") == "a or b"
    lines = SafeLines(["a\x1b"])
    lines.append("b\n")
    lines += ["c\0"]
    lines.extend(["d" * 9000])
    assert list(lines[:3]) == ["a?", "b", "c?"] and len(lines[3]) <= LONGEST_MESSAGE
    assert "a\x1b" in lines and "x" not in lines
    assert printable("a\x1b[1m\n  b") == "a?[1m\n  b"


def test_texts_in_pictures_are_ascii_of_one_line():
    assert drawable("\u00e9\x1b\n a") == "??  a" and len(drawable("x " * 9000)) <= LONGEST_MESSAGE
