# SPDX-License-Identifier: Apache-2.0
"""What the words of a command line name as recordings."""

import argparse

import pytest

from monodepth_ros.cli.next_commands import source_words
from monodepth_ros.cli.result_files import write_csv, write_json
from monodepth_ros.cli.source_arguments import add_source_arguments, one_source, several_recordings, source_options
from monodepth_ros.data.sources.source import SourceError, SourceOptions


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of three images and a folder of two bags, as the working directory."""
    for name in ("images/a.png", "images/b.png", "images/c.jpg", "bags/1.mcap", "bags/2.mcap"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_images_that_the_shell_has_expanded_are_their_folder(here):
    assert several_recordings(["images/a.png", "images/b.png", "images/c.jpg"]) == ["images"]
    with pytest.raises(SourceError, match="a part of images: give the folder, or a pattern in quotes"):
        several_recordings(["images/a.png", "images/b.png"])


def test_a_pattern_is_one_recording_of_images_or_several_bags(here):
    assert several_recordings(["images/*.png"]) == ["images/*.png"]
    assert several_recordings(["bags/*.mcap", "bags/1.mcap"]) == ["bags/1.mcap", "bags/2.mcap"]
    with pytest.raises(SourceError, match="matches no file"):
        several_recordings(["bags/*.db3"])


@pytest.mark.parametrize("live", ["0", "/dev/video0", "rtsp://camera/live"])
def test_a_training_refuses_a_live_source(live):
    with pytest.raises(SourceError, match="is live and can be read only once"):
        several_recordings([live])


def test_several_words_are_one_source_only_if_they_are_images():
    options = argparse.Namespace(verb="run")
    assert one_source(["a.mcap"], options) == "a.mcap"
    assert one_source(["a.png", "b.png"], options) == ("a.png", "b.png")
    with pytest.raises(SourceError, match=r"run reads one recording, or several images: 'b c.mcap' is one more"):
        one_source(["a.png", "b c.mcap"], options)


def test_options_become_the_words_of_another_command():
    parser = argparse.ArgumentParser()
    add_source_arguments(parser)
    words = ["--topic", "/a", "--calibration", "my camera.yaml", "--encoding", "yuyv"]
    words += ["--intensity-range", "7000:9000", "--rate", "7.5", "--start", "2", "--rectified"]
    chosen = source_options(parser.parse_args(words))
    assert source_words(chosen) == words and source_words(SourceOptions()) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--encoding", "rgb9"], "unknown image encoding 'rgb9' (the nearest is rgb"),
        (["--intensity-range", "9000:7000"], "expected LOW:HIGH"),
    ],
)
def test_a_mistyped_statement_about_pixels_is_refused_before_anything_is_read(words, reason, capsys):
    parser = argparse.ArgumentParser()
    add_source_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(words)
    assert reason in capsys.readouterr().err


def test_results_make_the_folder_that_they_are_written_to(tmp_path):
    write_json(str(tmp_path / "a" / "b.json"), {"x": 1})
    write_csv(str(tmp_path / "c" / "d.csv"), [{"x": 1.5}])
    assert (tmp_path / "a" / "b.json").read_text().split() == ["{", '"x":', "1", "}"]
    assert (tmp_path / "c" / "d.csv").read_text().split() == ["x", "1.5"]
