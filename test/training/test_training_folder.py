# SPDX-License-Identifier: Apache-2.0
"""Folders of trainings: one training each, and nothing that others made is replaced."""

import errno
import fcntl
import os
import signal
from pathlib import Path

import pytest

from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.folder_lock import NAME as LOCK
from monodepth_ros.training.folder_lock import FolderLock
from monodepth_ros.training.run_log import NAME as LOG
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.trainer import BEST, LAST, STATE
from monodepth_ros.training.training_folder import OUTPUTS, SETTINGS, TrainingFolder


def refused(path, expected, **how):
    with pytest.raises(TrainingError, match=expected) as caught:
        with TrainingFolder(str(path), **how) as place:
            place.begin()
    assert "\n" not in str(caught.value)


def listed(folder):
    return sorted(os.listdir(folder))


def test_a_second_training_is_refused_with_the_process_and_host_of_the_first(tmp_path):
    with TrainingFolder(str(tmp_path / "t")) as place:
        (place.begin() / STATE).write_bytes(b"state")
        for how in ({}, {"is_resumed": True}, {"force": True}, {"kind": "adapt"}):
            refused(
                tmp_path / "t",
                rf"another training runs in .*/t \(process {os.getpid()} on {os.uname().nodename}\)",
                **how,
            )
        (tmp_path / "link").symlink_to(tmp_path / "t")
        refused(tmp_path / "link", "another training runs", is_resumed=True)
        assert listed(place.path) == [LOCK, STATE]
    assert listed(tmp_path / "t") == [STATE]
    with TrainingFolder(str(tmp_path / "t"), is_resumed=True) as place:
        assert place.begin() == tmp_path / "t"


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    ready, entry = os.pipe()
    child = os.fork()
    if child == 0:  # no test framework and no clean-up here
        FolderLock(tmp_path)
        os.write(entry, b"1")
        signal.pause()
        os._exit(1)
    assert os.read(ready, 1) == b"1"
    with pytest.raises(TrainingError, match=f"process {child} on "):
        FolderLock(tmp_path)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for file in (ready, entry):
        os.close(file)
    assert listed(tmp_path) == [LOCK], "what the process has left"
    FolderLock(tmp_path).release()
    assert listed(tmp_path) == []


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with TrainingFolder(str(tmp_path / "t")) as place:
        place.begin()
        assert ["its file system has no locks" in note for note in place.notes] == [True]


@pytest.mark.parametrize("make", [lambda p: p.write_text("mine"), os.mkfifo, lambda p: p.symlink_to("/etc/passwd")])
def test_a_lock_file_that_no_training_made_is_left_alone(tmp_path, make):
    make(tmp_path / LOCK)
    before = os.lstat(tmp_path / LOCK)
    refused(tmp_path, "running.lock was not made by a training|running.lock cannot be written")
    after = os.lstat(tmp_path / LOCK)
    assert (before.st_mtime_ns, before.st_size, before.st_ino) == (after.st_mtime_ns, after.st_size, after.st_ino)


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("kind", ["train", "adapt"])
def test_files_that_would_be_replaced_are_refused_and_stay(tmp_path, name, kind):
    (tmp_path / name).write_text("mine")
    (tmp_path / "other.txt").write_text("mine")
    refused(tmp_path, f"{name}, which .*--force" if name != STATE else "holds a training already.*--force", kind=kind)
    assert (tmp_path / name).read_text() == "mine" and listed(tmp_path) == sorted([name, "other.txt"])


def test_force_replaces_results_of_others_and_nothing_else(tmp_path):
    for name in (SETTINGS, BEST, "mine.txt"):
        (tmp_path / name).write_text("old")
    (tmp_path / "elsewhere").write_text("old")
    (tmp_path / "report.html").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tensorboard").mkdir()
    with TrainingFolder(str(tmp_path), force=True) as place:
        assert "--force: replaces train.yaml, best.safetensors, report.html, tensorboard" in place.notes[0]
        place.begin()
    assert listed(tmp_path) == ["elsewhere", "mine.txt"]


@pytest.mark.parametrize("force", [False, True])
def test_what_a_training_reads_is_never_replaced(tmp_path, force):
    (tmp_path / "t").mkdir()
    settings, checkpoint = tmp_path / "t" / SETTINGS, tmp_path / "t" / BEST
    (tmp_path / "mine.yaml").symlink_to(settings)
    (tmp_path / "original").write_text("")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / BEST).symlink_to(tmp_path / "original")
    for path in (settings, checkpoint):
        path.write_text("mine")
    for given, folder in (
        (settings, "t"),
        (tmp_path / "mine.yaml", "t"),
        (checkpoint, "t"),
        (tmp_path / "x" / ".." / "t" / BEST, "t"),
        (tmp_path / "original", "linked"),
        (tmp_path / "linked" / BEST, "linked"),
        (tmp_path / "t" / "tensorboard" / "drive.mcap", "t"),
    ):
        refused(
            tmp_path / folder, "is read .* and would be replaced: choose another --out", inputs=[given], force=force
        )
    assert settings.read_text() == checkpoint.read_text() == "mine"


@pytest.mark.parametrize("given", [".", "*.png", "frame_%04d.png", "drive.mcap"])
def test_the_folder_of_a_recording_is_no_place_for_results(tmp_path, given):
    for name in ("drive.mcap", "metadata.yaml"):
        (tmp_path / name).write_text("")
    refused(tmp_path, "is the folder of .*, which is read", inputs=[tmp_path / given], force=True)
    assert listed(tmp_path) == ["drive.mcap", "metadata.yaml"]


def test_results_beside_a_single_file_are_welcome(tmp_path):
    (tmp_path / "drive.mcap").write_text("")
    with TrainingFolder(str(tmp_path), inputs=[tmp_path / "drive.mcap"]) as place:
        assert place.begin() == tmp_path


@pytest.mark.parametrize("name", ["file", "file/below", "a" * 300, "a\0b", "/proc/none"])
def test_a_path_that_can_be_no_folder_is_one_line(tmp_path, name):
    (tmp_path / "file").write_text("")
    refused(tmp_path / name, "is a file|cannot be made|cannot be a folder")


def test_a_training_that_ends_before_its_first_step_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), TrainingFolder(str(tmp_path / "t")) as place:
        (place.begin() / LOG).write_text("")
        place.write_settings(TrainConfig())
        raise ZeroDivisionError
    assert not (tmp_path / "t").exists()


def test_leftovers_of_a_killed_training_are_removed_when_it_resumes(tmp_path):
    for name in (STATE, f".{STATE}.123", f".{BEST}.4567", ".other.12", f".{STATE}.swp"):
        (tmp_path / name).write_text("")
    with TrainingFolder(str(tmp_path), is_resumed=True) as place:
        place.begin()
    assert listed(tmp_path) == sorted([STATE, ".other.12", f".{STATE}.swp"])


def test_a_home_that_nobody_has_is_a_folders_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with TrainingFolder("~nobody-has-this-name/out", "train", inputs=["~nobody-has-this-name/bag"]) as place:
        assert place.path == Path("~nobody-has-this-name/out")


def test_links_that_lead_round_in_circles_are_one_line(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "a")
    refused(tmp_path / "a", "cannot be made|cannot be a folder", inputs=[tmp_path / "a" / "b"])


def test_a_training_without_room_for_its_first_state_can_be_repeated(tmp_path):
    with TrainingFolder(str(tmp_path / "t")) as place:
        folder = place.begin()
        place.write_settings(TrainConfig())
        (folder / LOG).write_text("")
        (folder / LAST).write_bytes(b"initial weights, which fitted")
    assert not (tmp_path / "t").exists()
    with TrainingFolder(str(tmp_path / "t")) as place:
        (place.begin() / STATE).write_bytes(b"state")
        for name in (LOG, LAST):
            (place.path / name).write_bytes(b"")
    assert listed(tmp_path / "t") == sorted([LAST, LOG, STATE]), "what can be resumed stays"
