# SPDX-License-Identifier: Apache-2.0
"""The interface of what shows a run while it goes."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from monodepth_ros.offline.frames import RunFrame


class RunViewer(ABC):
    """Shows each frame of a run."""

    @abstractmethod
    def show(self, frame: RunFrame, should_stop: Callable[[], bool]) -> bool:
        """Show a frame; False if its user wants to end the run. should_stop: ends a pause."""

    def close(self) -> None:
        """Finish files, close windows."""
