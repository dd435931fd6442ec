# SPDX-License-Identifier: Apache-2.0
"""A window opens with what the machine has, or one line names what is missing."""

import os
import sys

import cv2
import numpy as np
import pytest

from monodepth_ros.pictures.window import (
    NO_DISPLAY,
    NO_TOOLKIT,
    QUIT,
    OpenCvWindow,
    TkWindow,
    WindowError,
    fitted,
    open_window,
    opencv_has_windows,
)

PICTURE = np.full((40, 60, 3), 90, np.uint8)
needs_display = pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="no display")


def test_without_a_display_the_error_names_the_variable(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(WindowError, match="DISPLAY") as error:
        open_window("title")
    assert str(error.value) == NO_DISPLAY


def test_a_display_that_does_not_answer_is_an_error_in_one_line(monkeypatch):
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":98765")
    with pytest.raises(WindowError, match=r"no window can be opened: .*98765") as error:
        open_window("title")
    assert "\n" not in str(error.value)


@pytest.mark.skipif(opencv_has_windows(cv2.getBuildInformation()), reason="this OpenCV has windows")
def test_without_any_toolkit_the_error_names_both(monkeypatch):
    monkeypatch.setitem(sys.modules, "tkinter", None)
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(WindowError) as error:
        open_window("title")
    assert str(error.value) == NO_TOOLKIT and "python3-tk" in NO_TOOLKIT and "opencv-python" in NO_TOOLKIT


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  GUI:                           NONE", False),
        ("  GUI:                           QT5", True),
        ("  GUI:                           GTK3", True),
        ("    GTK+:                        YES (ver 3.24.33)", False),
    ],
)
def test_the_toolkit_of_opencv_is_read_from_its_build(line, expected):
    assert opencv_has_windows(f"General configuration\n\n{line}\n  Media I/O:\n") is expected


def test_a_picture_larger_than_the_screen_is_made_smaller():
    large = np.zeros((2000, 4000, 3), np.uint8)
    assert fitted(large, (1000, 1000)).shape == (450, 900, 3)
    assert fitted(PICTURE, (1000, 1000)) is PICTURE


@needs_display
def test_tk_shows_pictures_and_tells_keys():
    tkinter = pytest.importorskip("tkinter")
    window = TkWindow("title")
    root = tkinter._default_root
    window.show(PICTURE)
    assert window.key() == ""
    root.focus_force()
    root.update()
    root.event_generate("<Key>", keysym="space")
    root.event_generate("<Key>", keysym="Escape")
    assert [window.key(0.2), window.key(0.2)] == [" ", QUIT]
    window.close()
    window.close()


@needs_display
@pytest.mark.skipif(not opencv_has_windows(cv2.getBuildInformation()), reason="this OpenCV has no windows")
def test_opencv_shows_pictures_and_tells_that_it_is_closed():
    window = OpenCvWindow("title")
    window.show(PICTURE)
    assert window.key() == ""
    window.close()
    assert window.key() == QUIT
