# SPDX-License-Identifier: Apache-2.0
"""A window for pictures: Tk where Python has it, else an OpenCV that is built with windows."""

import contextlib
import os
import re
from abc import ABC, abstractmethod

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError

NO_DISPLAY = (
    "no window can be opened: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); run it on a desktop or"
    " through ssh -X, or look at the video in the results"
)
NO_TOOLKIT = (
    "no window can be opened: Python has no tkinter (apt install python3-tk) and this OpenCV is built without windows"
    " (pip install opencv-python in place of opencv-python-headless)"
)
QUIT, PAUSE = "q", " "
CLOSED = QUIT  # closing the window means the same
_SCREEN_SHARE = 0.9  # of the screen that a picture may fill


class WindowError(MonodepthError):
    """A window that cannot be opened."""


class Window(ABC):
    """Shows one picture after the other, bgr uint8 (H, W, 3), and tells which keys were pressed."""

    @abstractmethod
    def show(self, picture: np.ndarray) -> None:
        """Replace the picture; one larger than the screen is made smaller."""

    @abstractmethod
    def key(self, seconds: float = 0.0) -> str:
        """The next key, in lower case, waiting up to some time for it; '' without one, QUIT if the window is closed."""

    @abstractmethod
    def close(self) -> None:
        """Close the window; may be called twice."""


class TkWindow(Window):
    """A window of tkinter. Raises ImportError without tkinter, WindowError without a display."""

    def __init__(self, title: str):
        import tkinter  # noqa: PLC0415 - not every Python has it

        self._tk = tkinter
        try:
            self._root = tkinter.Tk(className="monodepth")
        except tkinter.TclError as error:
            raise WindowError(f"no window can be opened: {error}") from None
        self._root.title(title)
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self._keys: list[str] = []
        self._arrived = tkinter.BooleanVar(self._root, False)
        self._root.bind("<Key>", lambda event: self._press("q" if event.keysym == "Escape" else event.char.lower()))
        self._root.protocol("WM_DELETE_WINDOW", lambda: self._press(CLOSED))

    def show(self, picture: np.ndarray) -> None:
        screen = self._root.winfo_screenwidth(), self._root.winfo_screenheight()
        data = cv2.imencode(".ppm", fitted(picture, screen))[1].tobytes()
        self._image = self._tk.PhotoImage(data=data, format="PPM", master=self._root)
        self._label.configure(image=self._image)
        self._root.update()

    def key(self, seconds: float = 0.0) -> str:
        if seconds > 0 and not self._keys:
            self._arrived.set(False)
            timer = self._root.after(round(1000 * seconds), lambda: self._arrived.set(True))
            self._root.wait_variable(self._arrived)
            self._root.after_cancel(timer)
        self._root.update()
        return self._keys.pop(0) if self._keys else ""

    def close(self) -> None:
        if self._root is not None:
            self._root.destroy()
            self._root = None

    def _press(self, key: str) -> None:
        if key:
            self._keys.append(key)
        self._arrived.set(True)


class OpenCvWindow(Window):
    """A window of OpenCV's highgui."""

    def __init__(self, title: str):
        self._title = title
        self._is_open = True
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        self._is_sized = False

    def show(self, picture: np.ndarray) -> None:
        if not self._is_sized:
            cv2.resizeWindow(self._title, picture.shape[1], picture.shape[0])
            self._is_sized = True
        cv2.imshow(self._title, picture)
        cv2.waitKey(1)

    def key(self, seconds: float = 0.0) -> str:
        code = cv2.waitKey(max(1, round(1000 * seconds)))
        if not self._is_visible():
            return CLOSED
        if code < 0:
            return ""
        return QUIT if code & 0xFF == 27 else chr(code & 0xFF).lower()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(cv2.error):  # closed by its user already
                cv2.destroyWindow(self._title)

    def _is_visible(self) -> bool:
        try:
            return self._is_open and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt, when its last window is closed
            return False


def open_window(title: str) -> Window:
    """A window of the first toolkit that this machine has. WindowError names what is missing."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise WindowError(NO_DISPLAY)
    # Tk comes first: without a display that answers it raises an error, where OpenCV's Qt ends the program.
    try:
        return TkWindow(title)
    except ImportError:
        if not opencv_has_windows(cv2.getBuildInformation()):
            raise WindowError(NO_TOOLKIT) from None
    return OpenCvWindow(title)


def opencv_has_windows(build_information: str) -> bool:
    """Whether an OpenCV with this build information can open windows."""
    found = re.search(r"^\s*GUI:\s*(\S*)", build_information, re.MULTILINE)
    return found is not None and found.group(1) != "NONE"


def fitted(picture: np.ndarray, screen: tuple[int, int]) -> np.ndarray:
    """The picture, smaller if it would not fit on a screen (width, height)."""
    height, width = picture.shape[:2]
    shrink = min(1.0, _SCREEN_SHARE * screen[0] / width, _SCREEN_SHARE * screen[1] / height)
    if shrink == 1.0:
        return picture
    size = max(1, int(width * shrink)), max(1, int(height * shrink))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
