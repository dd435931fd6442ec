# SPDX-License-Identifier: Apache-2.0
"""What no verb has caught: one line and an exit code for a full disk, too little memory, a closed terminal or a bug."""

import errno
import io
import os
import select
import sys
import tempfile
import traceback
from contextlib import suppress
from typing import Any

from monodepth_ros.errors import one_line, typed_line
from monodepth_ros.foreign_text import safe_line

FAILED = 2  # the exit code of everything that a user can mend
INTERNAL = 70  # that of a mistake in this program, as in sysexits.h
DEBUG = "MONODEPTH_DEBUG"
_NO_MEMORY = ("out of memory", "not enough memory", "insufficient memory", "can't allocate memory")


def prepare_streams() -> None:
    """Make the standard streams usable: closed ones take and give nothing, and no letter is unprintable on one.

    A file that is opened later must not get the number of a closed stream: libraries would write their warnings to it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the rest of the program
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = _made_lasting(sys.stdout)


class LastingOutput(io.RawIOBase):
    """A standard stream whose end or full disk ends no work: what cannot be printed is dropped; `error` says why."""

    def __init__(self, number: int):
        self._number = number
        self.error: OSError | None = None

    def fileno(self) -> int:
        """The number of the open file."""
        return self._number

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._number)

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: Any) -> int:
        """Print the bytes, or drop them; returns the number of those that are dealt with."""
        while self.error is None:
            try:
                return os.write(self._number, data)
            except BlockingIOError:  # the reader made it so; it takes more later
                select.select([], [self._number], [])
            except OSError as error:
                self.error = error
        return len(data)


def _made_lasting(stream: Any) -> Any:
    """Standard output as a stream that lasts; any other stream as it is."""
    if stream is not sys.__stdout__ or not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(LastingOutput(stream.fileno())),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def output_error() -> OSError | None:
    """What kept standard output from being printed whole, None if nothing did."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, LastingOutput) else None


def silence_output() -> None:
    """Send what is still printed nowhere."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def complain(line: str) -> None:
    """Print a line on standard error, if that is still there."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def unexpected(error: Exception, verb: str) -> int:
    """Print one line about an error that is nobody's bad input; returns the exit code.

    A mistake of this program is raised again where MONODEPTH_DEBUG is set; otherwise its traceback goes into a file.
    """
    if isinstance(error, OSError):
        name = f"{safe_line(error.filename)}: " if error.filename else ""
        if not name and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):  # a stream tells no name
            name = "the output cannot be written: "
        silence_output()  # what is left of it would fail once more at the end of the program
        complain(f"monodepth {verb}: {name}{one_line(error)}")
        return FAILED
    if isinstance(error, MemoryError) or any(text in str(error).lower() for text in _NO_MEMORY):
        complain(f"monodepth {verb}: there is not enough memory: {one_line(error, 300)}")
        return FAILED
    if isinstance(error, RecursionError):
        complain(f"monodepth {verb}: an input is nested too deeply ({one_line(error)})")
        return FAILED
    if os.environ.get(DEBUG):
        raise error
    complain(f"monodepth {verb}: internal error: {typed_line(error)}; {_kept_traceback(error)}")
    return INTERNAL


def _kept_traceback(error: Exception) -> str:
    """Where the traceback is, in words."""
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="monodepth-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(text)
    except OSError:
        return f"run it with {DEBUG}=1 for the traceback"
    return f"please report it with {file.name}, the traceback ({DEBUG}=1 prints it)"
