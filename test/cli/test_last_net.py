# SPDX-License-Identifier: Apache-2.0
"""What no verb catches: one line and an exit code, never a traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monodepth_ros.cli import config
from monodepth_ros.cli import main as command
from monodepth_ros.cli.last_net import INTERNAL

UNNAMED = "the output cannot be written"


@pytest.fixture
def ends_with(monkeypatch, capsys, tmp_path):
    """Runs a verb whose work raises an error; returns the exit code and the lines on standard error."""
    monkeypatch.delenv("MONODEPTH_DEBUG", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def end(error):
        def fails(options):
            raise error

        monkeypatch.setattr(config, "run", fails)
        code = command.main(["config", "--dump", "node"])
        return code, capsys.readouterr().err.splitlines()

    return end


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a/b"), "monodepth config: /a/b: No space left on device"),
        (
            OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
            f"monodepth config: {UNNAMED}: Disk quota exceeded",
        ),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "monodepth config: Input/output error"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "monodepth config: Too many open files"),
        (OSError("no number"), "monodepth config: no number"),
        (MemoryError(), "monodepth config: there is not enough memory: MemoryError"),
        (RuntimeError("CUDA out of memory. Tried"), "there is not enough memory: CUDA out of memory. Tried"),
        (RecursionError("maximum recursion depth exceeded"), "an input is nested too deeply"),
    ],
)
def test_what_a_user_can_mend_is_one_line(ends_with, error, line):
    code, lines = ends_with(error)
    assert code == 2 and len(lines) == 1 and line in lines[0], lines


def test_a_mistake_of_the_program_is_one_line_that_says_where_the_traceback_is(ends_with, tmp_path):
    code, lines = ends_with(KeyError("x"))
    assert code == INTERNAL and len(lines) == 1 and "internal error: KeyError: 'x'" in lines[0], lines
    (file,) = tmp_path.iterdir()
    assert str(file) in lines[0] and "Traceback" in file.read_text()


def test_the_traceback_of_a_mistake_is_shown_where_it_is_asked_for(ends_with, monkeypatch):
    def end():
        monkeypatch.setenv("MONODEPTH_DEBUG", "1")
        command.main(["config", "--dump", "node"])

    ends_with(KeyError("x"))
    with pytest.raises(KeyError):
        end()


def shell(words, **more):
    line = f'"{sys.executable}" -m monodepth_ros.cli.main {words}'
    return subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, timeout=100, **more)


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ("download --list > /dev/full", 2, f"monodepth download: {UNNAMED}: No space left on device"),
        ("download nonsense 2>&-", 2, ""),
        ("download --list <&- >&- 2>&-", 0, ""),
        ("download --list | true", 0, ""),
    ],
)
def test_a_standard_stream_that_is_full_closed_or_gone(words, code, line):
    done = shell(words)
    assert done.returncode == code and done.stderr.strip() == line, (done.returncode, done.stderr)


PRINTS_THEN_WORKS = """
import sys
from pathlib import Path
from monodepth_ros.cli import download, main
def work(options):
    for number in range(3):
        print("a line", flush=True)
    Path(sys.argv[1]).write_text("the result")
download.run = work
sys.exit(main.main(["download"]))
"""


@pytest.mark.parametrize(
    ("end", "code", "line"),
    [
        ("> /dev/full", 2, f"monodepth download: {UNNAMED}: No space left on device\n"),
        ("| true", 0, ""),
        ("2>&1 | sleep 0", 0, ""),
        (">&-", 0, ""),
    ],
)
def test_an_output_that_takes_no_more_does_not_end_the_work(tmp_path, end, code, line):
    words = f'"{sys.executable}" -u -c "$0" result {end}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words, PRINTS_THEN_WORKS], cwd=tmp_path, capture_output=True, text=True
    )
    assert (tmp_path / "result").read_text() == "the result", done.stderr
    assert (done.returncode, done.stderr) == (code, line)


def test_an_interrupt_in_a_text_that_a_library_executes_has_the_exit_code_of_any(tmp_path):
    """Python would end with the signal's number if such a text was the last that it executed."""
    (tmp_path / "interrupted.py").write_text(
        "import sys\nfrom monodepth_ros.cli import download, main\n"
        "download.run = lambda options: exec('raise KeyboardInterrupt')\nsys.exit(main.main(['download']))\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-m", "interrupted"], env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 130


def test_arguments_that_are_no_text_are_answered_in_any_locale():
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    for words in ([b"inf\xf6"], [b"download", b"n\xf6ne"], ["download", "nöne"]):
        done = subprocess.run(
            [sys.executable, "-m", "monodepth_ros.cli.main", *words], capture_output=True, env=environment, timeout=100
        )
        text = done.stderr.decode()
        assert done.returncode == 2 and "Traceback" not in text and 1 <= text.count("\n") <= 2, text


def test_a_closed_stream_does_not_lend_its_number_to_a_file(tmp_path):
    """A library that warns on number 2 would otherwise write into the file that was opened first."""
    program = (
        "import os, sys; from monodepth_ros.cli.last_net import prepare_streams; prepare_streams();"
        f"file = open({str(tmp_path / 'file')!r}, 'w'); os.write(2, b'warning'); sys.exit(file.fileno() < 3)"
    )
    done = subprocess.run(["bash", "-c", f'"{sys.executable}" -c "{program}" <&- >&- 2>&-'], timeout=100)
    assert done.returncode == 0 and Path(tmp_path / "file").read_text() == ""
