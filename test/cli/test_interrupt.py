# SPDX-License-Identifier: Apache-2.0
"""Control-C in a long job."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from monodepth_ros.cli.interrupt import INTERRUPTED, end_on_interrupt, stop_on_interrupt

# A computation of minutes outside Python's interpreter, which calls no handler of a signal meanwhile. It is well under
# way once the main thread has used more processor time than the few instructions up to it need.
BUSY = """
import hashlib, threading, time
from monodepth_ros.cli.interrupt import stop_on_interrupt
clock = time.pthread_getcpuclockid(threading.main_thread().ident)
def watch(start):
    while time.clock_gettime(clock) < start + 0.05:
        time.sleep(0.01)
    print("ready", flush=True)
with stop_on_interrupt(kept="two frames are kept"):
    threading.Thread(target=watch, args=(time.clock_gettime(clock),), daemon=True).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_in_order_and_the_second_at_once(number, capsys):
    calls = []
    handler = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        with stop_on_interrupt(lambda: calls.append("stop"), lambda: "five frames stay in out/") as stopped:
            assert not stopped.is_set()
            os.kill(os.getpid(), number)
            assert stopped.wait(5) and calls == ["stop"]
            time.sleep(0.05)
            assert capsys.readouterr().err.count("stopping: five frames stay in out/") == 1
            os.kill(os.getpid(), number)
            threading.Event().wait(5)
    assert signal.getsignal(number) is handler


def test_a_job_without_order_ends_with_a_line_about_what_is_kept(capsys):
    with pytest.raises(KeyboardInterrupt), end_on_interrupt("the first half is kept"):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(5)
    assert capsys.readouterr().err.strip() == "ending: the first half is kept"


def test_control_c_is_acknowledged_while_a_library_computes():
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "\n" and "two frames are kept" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == INTERRUPTED, "the third signal ends the program at once"


def test_other_threads_leave_signals_alone():
    handler, found = signal.getsignal(signal.SIGINT), []

    def job():
        with stop_on_interrupt() as stopped:
            found.append((signal.getsignal(signal.SIGINT), stopped.is_set()))

    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    assert found == [(handler, False)]
