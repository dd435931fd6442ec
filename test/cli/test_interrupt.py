# SPDX-License-Identifier: Apache-2.0
"""Control-C in a long job."""

import os
import signal
import threading

import pytest

from monodepth_ros.cli.interrupt import stop_on_interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_in_order_and_the_second_at_once(number, capsys):
    calls = []
    handler = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        with stop_on_interrupt(lambda: calls.append("stop")) as stopped:
            assert not stopped.is_set()
            os.kill(os.getpid(), number)
            assert stopped.wait(5) and calls == ["stop"]
            assert "what is done is kept" in capsys.readouterr().err
            os.kill(os.getpid(), number)
            threading.Event().wait(5)
    assert signal.getsignal(number) is handler


def test_other_threads_leave_signals_alone():
    handler, found = signal.getsignal(signal.SIGINT), []

    def job():
        with stop_on_interrupt() as stopped:
            found.append((signal.getsignal(signal.SIGINT), stopped.is_set()))

    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    assert found == [(handler, False)]
