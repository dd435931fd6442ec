# SPDX-License-Identifier: Apache-2.0
"""Control-C in a long job: acknowledged at once, with what is kept; then the job stops in order."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

INTERRUPTED = 130  # the exit code of a job that control-C ended
# A terminal that is closed ends its programs with SIGHUP.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AT_ONCE = 3  # the signal that ends the program without any order
Kept = str | Callable[[], str]


@contextmanager
def stop_on_interrupt(
    stop: Callable[[], None] = lambda: None, kept: Kept = "what is done is kept"
) -> Iterator[threading.Event]:
    """An event that the first control-C (SIGTERM or SIGHUP) sets, so that the job can end in order; a second one raises
    KeyboardInterrupt.

    stop: called with the first one, for jobs that do not look at the event. kept: what stays of the work, for the line
    that is printed at once. Outside the main thread, where Python takes no signals, the event is never set.
    """
    stopped = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        stop()

    with _acknowledged(interrupt, lambda: f"stopping: {_text(kept)} (control-C again to end at once)"):
        yield stopped


@contextmanager
def end_on_interrupt(kept: Kept = "nothing is kept") -> Iterator[None]:
    """Raise KeyboardInterrupt for control-C (SIGTERM or SIGHUP), after a line with what stays of the work."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with _acknowledged(interrupt, lambda: f"ending: {_text(kept)}"):
        yield


@contextmanager
def _acknowledged(handler: Callable[[int, object], None], message: Callable[[], str]) -> Iterator[None]:
    """Handle signals, and print the message with the first one, even while the main thread computes.

    Python calls handlers between two of its own instructions only, which may take seconds in a library. A thread
    therefore reads the numbers of the signals from a pipe, into which they are written at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    once = threading.Lock()

    def announce() -> None:
        if once.acquire(blocking=False):
            with suppress(OSError, ValueError):  # the terminal may be what has gone
                print(f"\n{message()}", file=sys.stderr, flush=True)

    def watch(numbers: int) -> None:
        count = 0
        while data := os.read(numbers, 64):
            count += sum(byte in SIGNALS for byte in data)
            if count:
                announce()
            if count >= AT_ONCE:
                os._exit(INTERRUPTED)

    def handle(number: int, frame: object) -> None:
        announce()
        handler(number, frame)

    output, entry = os.pipe()
    os.set_blocking(entry, False)
    watcher = threading.Thread(target=watch, args=(output,), name="signals", daemon=True)
    watcher.start()
    pipe_before = signal.set_wakeup_fd(entry, warn_on_full_buffer=False)
    # nohup starts programs that are to ignore the end of their terminal.
    is_kept = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    wanted = [number for number in SIGNALS if not (is_kept and number == signal.SIGHUP)]
    before = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
        signal.set_wakeup_fd(pipe_before)
        os.close(entry)
        watcher.join(1.0)
        if not watcher.is_alive():
            os.close(output)


def _text(kept: Kept) -> str:
    return kept if isinstance(kept, str) else kept()
