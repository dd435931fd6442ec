# SPDX-License-Identifier: Apache-2.0
"""Progress of long jobs."""

import re

from monodepth_ros.cli.progress import Progress, ProgressLine


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
