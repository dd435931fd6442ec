# SPDX-License-Identifier: Apache-2.0
"""No verb replaces what it reads or what somebody else has written; it says so before it works."""

import json
import os
import resource
from pathlib import Path

import pytest

from monodepth_ros.cli.main import main

OUTPUTS = {
    "evaluate depth": ["--json", "--csv"],
    "evaluate odometry": ["--json", "--plot"],
    "inspect": ["--json", "--write-mask"],
    "run": ["--out", "--animation"],
    "calibrate": ["--out"],
}
CASES = [(verb, option) for verb, options in OUTPUTS.items() for option in options]
SUFFIX = {"--plot": ".png", "--write-mask": ".png", "--animation": ".webp", "--csv": ".csv", "--json": ".json"}


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    assert main(["synth", "--out", str(path), "--seconds", "0.4", "--width", "320", "--height", "96"]) == 0
    return path


def refused(words, capsys):
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


@pytest.mark.parametrize(("verb", "option"), CASES)
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_recording_is_never_an_output(drive, tmp_path, monkeypatch, capsys, verb, option, force):
    monkeypatch.chdir(tmp_path)
    suffix = SUFFIX.get(option, ".mcap")
    recording = tmp_path / f"drive{suffix}"
    os.link(drive, recording)
    (tmp_path / f"soft{suffix}").symlink_to(recording)
    before = drive.read_bytes()
    for name in (recording, f"./soft{suffix}"):
        error = refused([*verb.split(), drive, option, name, *force], capsys)
        assert "reads" in error or "exists" in error, error
        assert drive.read_bytes() == before and (tmp_path / f"soft{suffix}").is_symlink()


@pytest.mark.parametrize(("verb", "option"), CASES)
def test_a_file_of_the_users_is_kept(drive, tmp_path, monkeypatch, capsys, verb, option):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / f"mine{SUFFIX.get(option, '.mcap')}"
    mine.write_text('{"mine": 1}')
    error = refused([*verb.split(), drive, option, mine], capsys)
    assert "mine" in error and ("--force" in error or "choose another name" in error), error
    assert mine.read_text() == '{"mine": 1}' and [*tmp_path.iterdir()] == [mine]


@pytest.mark.parametrize(("verb", "option"), CASES)
def test_a_place_that_cannot_be_written_is_named_before_the_work(drive, tmp_path, monkeypatch, capsys, verb, option):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    suffix = SUFFIX.get(option, ".mcap")
    error = refused([*verb.split(), drive, option, f"file/out{suffix}"], capsys)
    assert f"file/out{suffix}" in error and "cannot be written" in error, error
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("verb", ["run", "inspect", "calibrate"])
def test_results_that_cannot_be_written_are_refused_before_the_work(drive, tmp_path, capsys, verb):
    (tmp_path / "file").write_text("")
    assert "results cannot be written to" in refused([verb, drive, "--results", tmp_path / "file"], capsys)


def test_other_inputs_are_no_outputs_either(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{i / 10:.1f} {i} 0 0 0 0 0 1" for i in range(20))
    for name in ("truth.txt", "mine.txt", "times.txt"):
        Path(name).write_text(rows)
    words = ["evaluate", "odometry", "--trajectory", "mine.txt", "--ground-truth", "truth.txt", "--force", "--json"]
    for name in ("truth.txt", "./mine.txt"):
        assert "reads" in refused([*words, name], capsys) and Path(name).read_text() == rows
    assert "name one file" in refused([*words, "a.png", "--plot", "a.png"], capsys)


def test_a_command_is_repeated_without_force(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("\n".join(f"{i / 10:.1f} {i} 0 0 0 0 0 1" for i in range(20)))
    words = ["evaluate", "odometry", "--trajectory", "a.txt", "--ground-truth", "a.txt"]
    for _ in range(2):
        assert main([*words, "--json", "out.json", "--plot", "out.png"]) == 0
    assert json.loads(Path("out.json").read_text())["made_by"] == "monodepth evaluate odometry"
    assert "--force" in refused(["evaluate", "depth", "x.mcap", "--json", "out.json"], capsys), "another verb's"
    Path("out.json").write_text("mine")
    assert "--force" in refused([*words, "--json", "out.json"], capsys)
    assert main([*words, "--json", "out.json", "--force"]) == 0


def test_a_folder_above_the_recording_is_not_replaced(drive, capsys, monkeypatch):
    monkeypatch.chdir(drive.parent)
    for name in (drive.parent, "."):
        assert "reads" in refused(["run", drive, "--out", name, "--force"], capsys)
    assert drive.exists()


def test_synth_replaces_a_recording_only_by_force(tmp_path, capsys):
    path = tmp_path / "mine.mcap"
    path.write_text("mine")
    words = ["synth", "--out", path, "--seconds", "0.2", "--width", "64", "--height", "32"]
    assert "exists already" in refused(words, capsys) and path.read_text() == "mine"
    assert main([*map(str, words), "--force"]) == 0 and path.read_bytes().startswith(b"\x89MCAP")


@pytest.mark.parametrize(
    ("words", "lost", "kept", "printed"),
    [
        (["inspect", "--json", "out.json", "--results", "results"], "inspect.png", "out.json", "samples for training"),
        (["evaluate", "odometry", "--plot", "out.png", "--json", "out.json"], "out.png", "out.json", "ATE"),
    ],
)
def test_a_picture_that_does_not_fit_costs_no_figures(drive, tmp_path, monkeypatch, capsys, words, lost, kept, printed):
    monkeypatch.chdir(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        assert main([*words, str(drive)]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    shown = capsys.readouterr()
    assert f"{lost} cannot be written: File too large" in shown.err.splitlines()[-1], shown.err
    assert printed in shown.out and json.loads(Path(kept).read_text()), shown.out
    assert not list(tmp_path.rglob(lost)) and f"{lost}\n" not in shown.out
