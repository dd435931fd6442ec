# SPDX-License-Identifier: Apache-2.0
"""How the executables end: SIGINT and SIGTERM as one request that any thread can wait for."""

import os
import select
import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndRequest:
    """Set for good by the first SIGINT or SIGTERM, or by `set`. To be made on the main thread, once per process.

    Until `begin` is called, a signal ends the process at once with exit code 0: an executable makes its EndRequest
    before it imports torch or rclpy, which takes seconds.

    Signals come through a pipe that Python's own C handler writes to. The kernel may hand a signal to another thread,
    which does not wake a main thread that waits for a lock, and a handler that sets a threading.Event can interrupt
    itself while it holds the Event's lock.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._sender, False)
        signal.set_wakeup_fd(self._sender, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._has_begun:
            os._exit(0)

    def begin(self) -> None:
        """From now on, leave the end to the program."""
        self._has_begun = True

    def set(self) -> None:
        """Ask for the end, from any thread."""
        os.write(self._sender, b"\0")

    def is_set(self) -> bool:
        """Whether the process should end."""
        return self.wait(0.0)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to timeout [s] (None: for ever); whether the process should end."""
        # Nothing is read from the pipe, so it stays readable for every thread.
        return bool(select.select([self._receiver], [], [], None if timeout is None else max(0.0, timeout))[0])


def treat_sigterm_as_interrupt() -> None:
    """Let SIGTERM raise KeyboardInterrupt on the main thread, as SIGINT does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
