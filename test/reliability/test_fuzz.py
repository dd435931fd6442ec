# SPDX-License-Identifier: Apache-2.0
"""scripts/fuzz with a few examples of every target, and what it takes for a failure."""

import sys

import pytest

pytest.importorskip("hypothesis", reason="no hypothesis: run scripts/setup")


def test_some_damaged_inputs_of_every_target_are_read_or_refused_in_one_line(run_module, tmp_path):
    process = run_module("reliability.fuzz", "--seed", "17", "--examples", "15", "--out", str(tmp_path / "failures"))
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    from_targets = [line.split() for line in process.stdout.splitlines() if "of them refused" in line]
    assert len(from_targets) >= 21 and {words[1] for words in from_targets} == {"15"}, process.stdout
    assert not (tmp_path / "failures").exists()


def test_an_example_can_be_repeated(run_module, tmp_path):
    file = tmp_path / "poses.bin"
    file.write_text("1 2 3\n")
    process = run_module("reliability.fuzz", "--target", "poses", "--example", str(file), "--out", str(tmp_path))
    assert process.returncode == 0 and "poses: holds" in process.stdout, process.stdout + process.stderr


def raises(error):
    def read(file):
        raise error

    return read


def spin(file):
    while True:
        pass


def test_a_failure_is_anything_but_success_and_one_line(checkout, tmp_path, monkeypatch):
    from hypothesis import strategies as st

    from monodepth_ros.errors import MonodepthError
    from reliability.fuzz import child
    from reliability.fuzz.target import Target

    for name in ("work", "tmp", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(child.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.setattr(child, "CPU_SECONDS", 0.05)

    def verdict(read, made=()):
        return child.verdict(Target(st.binary, read, "in.bin", made), b"data")

    assert verdict(lambda file: file.read_bytes()) == ""
    assert verdict(raises(MonodepthError("in.bin holds nothing"))) == child.REFUSED
    assert "not one printable line" in verdict(raises(MonodepthError()))
    assert verdict(raises(KeyError("x"))).startswith("KeyError in ")
    assert verdict(lambda file: sys.exit(1)).startswith("SystemExit")
    assert "processor time" in verdict(spin)
    assert "more.txt" in verdict(lambda file: (file.parent / "more.txt").touch())
    assert verdict(lambda file: (file.parent / "more.txt").touch(), made=("more.txt",)) == ""
    assert "home/.left" in verdict(lambda file: (tmp_path / "home" / ".left").touch())


def test_the_same_seed_gives_the_same_examples(checkout):
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from reliability.fuzz.mutations import damaged, damaged_text, damaged_tree

    def examples(strategy, number):
        found = []

        @seed(number)
        @settings(max_examples=20, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(strategy)
        def take(value):
            found.append(value)

        take()
        return found

    for strategy in (
        damaged([bytes(range(100))]),
        damaged_text(["a: 1\nb: [2, 3]\n"]),
        damaged_tree([{"a": [1, "b"]}]),
    ):
        first = examples(strategy, 1)
        assert repr(first) == repr(examples(strategy, 1)) != repr(examples(strategy, 2))
        assert len(set(map(repr, first))) > 5
