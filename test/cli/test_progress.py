# SPDX-License-Identifier: Apache-2.0
"""Progress of long jobs."""

import re
import time
from types import SimpleNamespace

from monodepth_ros.cli.progress import Progress, ProgressLine, ReadingProgress, StepProgress, stage


class Screen:
    """A stream that is a terminal or not."""

    def __init__(self, is_terminal):
        self.text, self._is_terminal = "", is_terminal

    def isatty(self):
        return self._is_terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere():
    for is_terminal in (True, False):
        screen = Screen(is_terminal)
        with Progress(3, ProgressLine(draw_period=0.0, line_period=0.0, stream=screen)) as progress:
            for _ in range(3):
                progress.step()
        assert ("\r" in screen.text) == is_terminal
        assert re.search(r"2/3 frames, [\d.]+ frames/s, \d+ s left", screen.text) and "3/3 frames" in screen.text
    unknown = Screen(False)
    with Progress(None, ProgressLine(stream=unknown)) as progress:
        progress.step()
    assert unknown.text.startswith("1 frames, ")


def test_the_bar_stands_on_a_terminal_before_the_first_frame():
    screen = Screen(True)
    with Progress(200, ProgressLine(stream=screen)):
        assert screen.text == f"\r[{'.' * 28}] 0/200 frames"


def test_more_frames_than_expected_are_counted_without_a_total():
    screen = Screen(False)
    with Progress(2, ProgressLine(line_period=0.0, stream=screen)) as progress:
        for _ in range(3):
            progress.step()
    assert "2/2 frames" in screen.text and "3 frames" in screen.text and "3/2" not in screen.text


def test_reading_and_training_draw_the_same_bar(monkeypatch):
    screen = Screen(True)
    monkeypatch.setattr("sys.stderr", screen)
    with ReadingProgress() as progress:
        progress("reading a.mcap", 1, 4)
        time.sleep(0.11)
        progress("reading a.mcap", 2, 4)
    training = SimpleNamespace(step=1, steps=4, epoch=0, loss=0.25, samples_per_second=8.0, waiting=0.5)
    with StepProgress() as progress:
        progress(training)
        time.sleep(0.21)
        progress(SimpleNamespace(**{**vars(training), "step": 2}))
    half = f"[{'#' * 14}{'.' * 14}]"
    assert f"reading a.mcap {half} 2/4 frames" in screen.text and f"{half} 2/4 steps" in screen.text, screen.text


def test_a_stage_is_shown_with_its_seconds_and_removed_again():
    screen = Screen(True)
    with stage("loading networks", screen):
        time.sleep(0.3)
    assert "loading networks ..." in screen.text and screen.text.endswith("\r")
    quiet = Screen(False)
    with stage("loading networks", quiet):
        time.sleep(0.3)
    assert quiet.text == ""
