# SPDX-License-Identifier: Apache-2.0
"""Files that a user named: what is read from them, and what is written to them."""

import os
import resource
import stat
import subprocess
import sys

import pytest

from monodepth_ros.atomic_file import remove_leftovers
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import is_ordinary_file, ordinary_file, read_text
from monodepth_ros.output_file import Attempts, write_file, write_frame_file


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MonodepthError, match="no ordinary file"):
        ordinary_file(tmp_path / "pipe")


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(MonodepthError, match="is a folder"):
        ordinary_file(tmp_path)
    with pytest.raises(MonodepthError, match=r"none\.yaml cannot be read: No such file"):
        ordinary_file(tmp_path / "none.yaml")
    with pytest.raises(MonodepthError, match="File name too long"):
        ordinary_file(tmp_path / ("n" * 5000))


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "large.yaml", "wb") as file:
        file.truncate(2_000_000)
    with pytest.raises(MonodepthError, match="has 2 MB, more than the 1 MB"):
        read_text(tmp_path / "large.yaml", largest=1_000_000)


def test_text_of_another_encoding_is_read_with_marks(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("h\xf6he: 1".encode("latin-1"))
    assert read_text(tmp_path / "latin.yaml") == "h\ufffdhe: 1"


def test_exact_text_of_another_encoding_is_refused_with_its_line(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("a: 1\nh\xf6he: 1".encode("latin-1"))
    with pytest.raises(MonodepthError, match="latin.yaml is not text in UTF-8: byte 0xf6 in line 2"):
        read_text(tmp_path / "latin.yaml", exact=True)


def test_the_mark_that_editors_put_before_a_text_is_left_out(tmp_path):
    (tmp_path / "marked.yaml").write_text("a: 1", encoding="utf-8-sig")
    assert read_text(tmp_path / "marked.yaml") == "a: 1"


@pytest.mark.parametrize("size, is_read", [(10, True), (11, False)])
def test_the_pipe_of_a_shell_is_read_up_to_the_limit(size, is_read):
    output, entry = os.pipe()
    os.write(entry, b"x" * size)
    os.close(entry)
    try:
        if is_read:
            assert read_text(f"/dev/fd/{output}", largest=10) == "x" * size
        else:
            with pytest.raises(MonodepthError, match=f"/dev/fd/{output} gives more than"):
                read_text(f"/dev/fd/{output}", largest=10)
    finally:
        os.close(output)


def test_a_file_is_replaced_whole_through_its_link(tmp_path):
    (tmp_path / "target.json").write_text("old")
    (tmp_path / "link.json").symlink_to("target.json")
    write_file(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "target.json").read_text() == "new"
    write_file(tmp_path / "made" / "on the way.json", b"x")
    assert sorted(item.name for item in tmp_path.rglob("*")) == [
        "link.json",
        "made",
        "on the way.json",
        "target.json",
    ]


def test_a_pipe_stays_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / "pipe", "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MonodepthError, match="file/below cannot be written: "):
        write_file(tmp_path / "file" / "below", "x")


def test_what_a_killed_process_left_is_removed_by_the_next_call(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    running = os.getppid()
    for name in (f".a.json.{ended.pid}", f".a.json.{running}", ".a.json.note", f".b.json.{ended.pid}"):
        (tmp_path / name).write_text("half")
    (tmp_path / f".bag.{ended.pid}" / "bag").mkdir(parents=True)
    write_file(tmp_path / "a.json", "whole")
    remove_leftovers(tmp_path / "bag")
    kept = {"a.json", f".a.json.{running}", ".a.json.note", f".b.json.{ended.pid}"}
    assert {entry.name for entry in tmp_path.iterdir()} == kept


@pytest.fixture(params=["without a name", "hidden"])
def kind(request, monkeypatch):
    """How files are written until they are whole."""
    if request.param == "hidden":
        monkeypatch.setattr("monodepth_ros.atomic_file._unnamed", lambda folder: None)
    return request.param


def test_a_frames_file_is_whole_or_absent(tmp_path, kind):
    write_frame_file(tmp_path / "0.png", b"whole")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        for name in ("0.png", "1.png"):
            with pytest.raises(MonodepthError, match=f"{name} cannot be written: File too large"):
                write_frame_file(tmp_path / name, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("0.png", b"whole")]
    write_frame_file(tmp_path / "0.png", b"newer")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("0.png", b"newer")]
    with pytest.raises(MonodepthError, match="none/1.png cannot be written: No such file"):
        write_frame_file(tmp_path / "none" / "1.png", b"x")


def test_a_killed_process_leaves_no_part_of_a_frames_file(tmp_path):
    """Killed at the moment when all bytes are written and the file has no name yet."""
    program = (
        "import os, sys; from pathlib import Path; from monodepth_ros.atomic_file import write_new_file;"
        "os.link = lambda *a, **b: os.kill(os.getpid(), 9); write_new_file(Path(sys.argv[1]), bytes(5000), True)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "0.png")], capture_output=True, text=True)
    if done.returncode == 0:
        pytest.skip("this file system has no files without names")
    assert done.returncode == -9 and not list(tmp_path.iterdir()), done.stderr


def test_a_result_that_cannot_be_written_costs_no_other(tmp_path):
    attempt = Attempts()
    (tmp_path / "file").write_text("")
    done = [attempt(lambda name=name: write_file(tmp_path / name, "x")) for name in ("a", "file/b", "file/c", "d")]
    assert done == [True, False, False, True] and (tmp_path / "d").exists()
    with pytest.raises(MonodepthError, match="file/b cannot be written"):
        attempt.end()


def test_letters_that_utf8_does_not_have_are_escaped(tmp_path):
    write_file(tmp_path / "a.txt", os.fsdecode(b"h\xf6he"))
    assert (tmp_path / "a.txt").read_text() == "h\\udcf6he"


def test_what_the_kernel_makes_is_refused_before_it_is_opened():
    # It claims to be an ordinary file; some of its kind wait for ever, others have no end.
    with pytest.raises(MonodepthError, match="one that the kernel makes; copy it"):
        ordinary_file("/proc/self/status")
    assert is_ordinary_file(__file__) and not is_ordinary_file("/proc/self/status")
    assert not is_ordinary_file("a\0b") and not is_ordinary_file("/dev/null")


def test_a_pipe_that_nobody_reads_is_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MonodepthError, match="is a pipe that nobody reads"):
        write_file(tmp_path / "pipe", "x")


def test_links_that_lead_round_in_circles_are_one_line(tmp_path):
    (tmp_path / "a.json").symlink_to(tmp_path / "a.json")
    with pytest.raises(MonodepthError, match="Too many levels of symbolic links"):
        read_text(tmp_path / "a.json")
    with pytest.raises(MonodepthError, match="File exists|Too many levels of symbolic links"):
        write_file(tmp_path / "a.json" / "b", "x")
