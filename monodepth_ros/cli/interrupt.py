# SPDX-License-Identifier: Apache-2.0
"""Control-C in a long job: stop in order and keep the work so far."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130  # the exit code of a job that control-C ended


@contextmanager
def stop_on_interrupt(stop: Callable[[], None] = lambda: None) -> Iterator[threading.Event]:
    """An event that the first control-C (or SIGTERM) sets, so that the job can end in order; a second one raises
    KeyboardInterrupt.

    stop: called with the first one, for jobs that do not look at the event. Outside the main thread, where Python takes
    no signals, the event is never set.
    """
    stopped = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        stop()
        print("\nstopping: what is done is kept (control-C again to end at once)", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
