# SPDX-License-Identifier: Apache-2.0
"""A window with image and depth of a run: q quits, space pauses."""

from collections.abc import Callable

from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.offline.results.depth_files import in_units
from monodepth_ros.offline.results.frame_view import FrameView
from monodepth_ros.offline.viewers.viewer import RunViewer
from monodepth_ros.pictures.window import PAUSE, QUIT, Window, open_window

HINT = "space: pause, q: quit"
_WAIT = 0.1  # seconds between two looks at Control-C


class RunWindow(RunViewer):
    """Shows the picture of the video. Raises WindowError where no window can be opened."""

    def __init__(self, title: str, window: Window | None = None):
        self._window = open_window(f"{title} ({HINT})") if window is None else window
        self._view = FrameView()

    def show(self, frame: RunFrame, should_stop: Callable[[], bool]) -> bool:
        self._window.show(self._view.picture(frame, in_units(frame.result.depth)))
        key = self._window.key()
        if key == PAUSE:
            while (key := self._window.key(_WAIT)) not in (PAUSE, QUIT) and not should_stop():
                pass
        return key != QUIT

    def close(self) -> None:
        self._window.close()
