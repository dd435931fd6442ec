# SPDX-License-Identifier: Apache-2.0
"""`monodepth train` from a recording to a checkpoint and a report."""

import json
import math
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.registry import build_depth
from monodepth_ros.settings.schema import specifications
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.session import training_config
from monodepth_ros.training.state import load_state

SMALL = [
    *("--set", "networks.depth=rt_monodepth_s", "--set", "networks.pose=posecnn", "--set", "networks.width=96"),
    *("--set", "networks.height=32", "--set", "objective.scales=3", "--batch-size", "4", "--device", "cpu"),
    *("--set", "optimizer.learning_rate=1e-3", "--set", "loop.log_every=1"),
]


@pytest.fixture(autouse=True)
def few_threads():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = ["synth", "--out", str(path), "--seconds", "2", "--width", "96", "--height", "32", "--seed", "5"]
    assert monodepth(words) == 0
    return path


def train(*words):
    return monodepth(["train", *map(str, words)])


def test_a_training_needs_nothing_but_a_path(drive, tmp_path, capsys, monkeypatch):
    """Only settings that save time are given."""
    monkeypatch.chdir(tmp_path)
    assert train(drive, *SMALL, "--epochs", 2) == 0
    folder = tmp_path / "results" / "train" / "latest"
    out = capsys.readouterr().out
    assert "drive.mcap: 20 frames at 10.0 Hz" in out and "validation after" in out and "best.safetensors" in out
    assert load_checkpoint(folder / "best.safetensors").header.pose_network == "posecnn"
    page = (folder / "report.html").read_text()
    assert (
        page.count("<svg") >= 4
        and page.count("data:image/jpeg") >= 4
        and "http" not in page.replace("http://www.w3.org", "")
    )


def test_a_training_that_learned_nothing_says_so(drive, tmp_path, capsys):
    idle = ["--set", "optimizer.learning_rate=0", "--epochs", 1, "--out", tmp_path / "t"]
    assert train("--data", drive, *SMALL, *idle) == 0
    out = capsys.readouterr().out
    assert "learned nothing: " in out and "monodepth inspect" in out, out
    assert "learned nothing: " in (tmp_path / "t" / "report.html").read_text()
    # The training's arithmetic ends with it.
    assert 1e-40 * np.ones(64, np.float32) @ np.ones(64, np.float32) > 0


def test_a_training_ends_with_commands_for_its_checkpoint_that_run(drive, tmp_path, capsys, monkeypatch):
    """The recording's name has a space, and the options about it are needed again."""
    monkeypatch.chdir(tmp_path)
    Path("my drive.mcap").symlink_to(drive)
    words = ["my drive.mcap", "--topic", "/camera/image_raw", "--duration", "1.8"]
    assert train(*words, *SMALL, "--set", "loop.max_steps=1", "--out", "t") == 0
    run, node = (line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()[-2:])
    assert run == (
        "monodepth run 'my drive.mcap' --checkpoint t/best.safetensors --topic /camera/image_raw --duration 1.8"
        " --set scale.source=relative"
    )
    assert node == (
        "ros2 launch monodepth_ros depth.launch.py checkpoint:=t/best.safetensors image:=/camera/image_raw"
        " scale_source:=relative"
    )
    assert monodepth([*shlex.split(run)[1:], "--no-video"]) == 0
    assert (tmp_path / "results" / "latest" / "trajectory_tum.txt").exists()


def test_options_about_recordings_stand_for_settings(drive, tmp_path):
    words = [drive, "--topic", "/camera/image_raw", "--start", "0.5", "--duration", 1.2, "--precision", "fp32"]
    assert train(*words, *SMALL, "--set", "loop.max_steps=1", "--out", tmp_path / "t") == 0
    config = load_state(tmp_path / "t" / "state.pt").config
    named = ("data.topic", "data.start", "data.duration", "loop.precision")
    assert [config[name] for name in named] == ["/camera/image_raw", 0.5, 1.2, "fp32"]
    log = read_log(tmp_path / "t")
    assert log and "12 frames at 10.0 Hz" in (tmp_path / "t" / "report.html").read_text()


def test_settings_come_from_file_then_set_then_options(drive, tmp_path):
    (tmp_path / "mine.yaml").write_text("optimizer:\n  epochs: 7\n  learning_rate: 5e-5\nloop.seed: 3\n")
    words = [
        "--data",
        drive,
        *SMALL,
        "--config",
        tmp_path / "mine.yaml",
        "--set",
        "loop.seed=4",
        "--set",
        "loop.max_steps=1",
    ]
    assert train(*words, "--epochs", 1, "--out", tmp_path / "t") == 0
    config = load_state(tmp_path / "t" / "state.pt").config
    assert (config["optimizer.epochs"], config["loop.seed"], config["optimizer.learning_rate"]) == (1, 4, 1e-3)
    assert "learning_rate: 0.001" in (tmp_path / "t" / "train.yaml").read_text()


def test_fine_tuning_takes_the_networks_of_the_checkpoint(drive, tmp_path):
    assert train("--data", drive, *SMALL, "--set", "loop.max_steps=1", "--out", tmp_path / "a") == 0
    begin = tmp_path / "a" / "last.safetensors"
    changes = ("loop.max_steps=1", "objective.scales=3", "optimizer.learning_rate=0.0")
    words = ["--data", drive, "--from", begin, "--batch-size", 4, *(w for change in changes for w in ("--set", change))]
    assert train(*words, "--out", tmp_path / "b") == 0
    first, second = (load_checkpoint(path) for path in (begin, tmp_path / "b" / "last.safetensors"))
    assert first.header.width == second.header.width == 96
    pairs = zip(first.depth.state_dict().values(), second.depth.state_dict().values(), strict=True)
    assert all((a == b).all() for a, b in pairs)


def test_the_size_follows_the_camera_and_stays_when_resumed(tmp_path):
    drive, out = tmp_path / "drive.mcap", tmp_path / "t"
    words = ["synth", "--out", str(drive), "--seconds", "1.2", "--width", "80", "--height", "60", "--seed", "5"]
    assert monodepth(words) == 0
    small = [word for word in SMALL if not word.startswith(("networks.width", "networks.height"))]
    small = [word for word, following in zip(small, [*small[1:], ""]) if (word, following) != ("--set", "--set")]
    words = [*small, "--set", "networks.pixels=3072", "--set", "loop.max_steps=1"]
    assert train("--data", drive, *words, "--out", out) == 0
    assert load_checkpoint(out / "last.safetensors").header.width == 64
    assert (
        "width: 64" in (out / "train.yaml").read_text() and load_state(out / "state.pt").config["networks.width"] == 64
    )
    assert train("--resume", out, "--set", "networks.pixels=30720", "--set", "loop.max_steps=2") == 0
    assert load_checkpoint(out / "last.safetensors").header.width == 64


def test_fine_tuning_keeps_the_size_of_the_checkpoint_unless_told_otherwise():
    changes = {"networks.start_from": str(bundled_checkpoint())}
    header = load_checkpoint(bundled_checkpoint()).header
    kept = training_config("compact", changes=changes).networks
    assert (kept.width, kept.height) == (header.width, header.height)
    free = training_config(assignments=["networks.width=0", "networks.height=0"], changes=changes).networks
    assert (free.width, free.height, free.depth) == (0, 0, header.depth_network)


def test_a_recording_without_calibration_teaches_relative_depth(drive, tmp_path, capsys):
    """Even if recorded motion would make depth metric."""
    with Recording(drive) as recording, BagWriter(tmp_path / "bare.mcap") as bag:
        kept = [name for name in recording.topics if not name.endswith("camera_info")]
        for name in kept:
            bag.add_topic(name, recording.topics[name].type)
        for message in recording.messages(kept):
            bag.write(message.topic, message.stamp_ns, recording.deserialize(message))
    words = [*SMALL, "--set", "data.motion=recorded", "--set", "loop.max_steps=1", "--field-of-view", "80"]
    assert train("--data", tmp_path / "bare.mcap", *words, "--out", tmp_path / "t") == 0
    header = load_checkpoint(tmp_path / "t" / "last.safetensors").header
    assert not header.is_metric and header.training_camera[0] == pytest.approx(0.5 / math.tan(math.radians(40)))
    out = capsys.readouterr().out
    assert "not metres" in out and "monodepth calibrate" in out and "--calibration FILE" in out


def test_a_pose_network_is_trained_for_kept_depth_as_documented(drive, tmp_path):
    bundled, out = bundled_checkpoint(), tmp_path / "out"
    words = (
        "--set networks.keep_depth=true --set data.motion=recorded --batch-size 2 --set loop.max_steps=1 --device cpu"
    )
    assert train("--data", drive, "--from", bundled, *words.split(), "--out", out) == 0
    kept, learned = (load_checkpoint(path) for path in (bundled, out / "last.safetensors"))
    assert all(weight.equal(learned.depth.state_dict()[name]) for name, weight in kept.depth.state_dict().items())
    assert not all(weight.equal(learned.pose.state_dict()[name]) for name, weight in kept.pose.state_dict().items())


def test_an_interrupted_training_resumes(drive, tmp_path):
    words = ["train", "--data", str(drive), *SMALL, "--epochs", "100", "--out", str(tmp_path / "t")]
    program = "import sys; from monodepth_ros.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    log = tmp_path / "t" / "log.jsonl"
    deadline = time.monotonic() + 120
    while not (log.exists() and len(read_log(tmp_path / "t")) > 5):
        assert process.poll() is None and time.monotonic() < deadline, process.stdout.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and f"monodepth train --resume {tmp_path / 't'}" in out, out
    step = load_state(tmp_path / "t" / "state.pt").step
    assert (tmp_path / "t" / "report.html").exists()
    assert train("--resume", tmp_path / "t", "--set", f"loop.max_steps={step + 2}") == 0
    assert load_state(tmp_path / "t" / "state.pt").step == step + 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "nothing to learn from: give one or more recordings"),
        (["--data", "/nowhere.mcap"], "/nowhere.mcap does not exist"),
        (["0"], "0 is live and can be read only once: record it"),
        (["{drive}/a.png"], "a.png does not exist"),
        (["--data", "{drive}", "--set", "optimizer.epoch=3"], "unknown setting 'optimizer.epoch'"),
        (
            ["--data", "{drive}", "--set", "networks.width=100"],
            "networks.width is 100: it must be a multiple of 32, such as 96",
        ),
        (["--data", "{drive}", "--epochs", "0"], "optimizer.epochs is 0: it must be"),
        (["--data", "{drive}", "--config", "/nowhere.yaml"], "/nowhere.yaml cannot be read: No such file"),
        (["--data", "{drive}", "--from", "/nowhere.safetensors"], "no such file or folder"),
        (["--data", "{drive}", "--resume", "/nowhere"], "/nowhere/train.yaml cannot be read: No such file"),
        (["--data", "{drive}", "--device", "cuda:77"], "device 'cuda:77'"),
        (["--data", "{drive}", "--sources", "stereo"], "no second camera beside"),
    ],
)
def test_bad_input_is_one_line(drive, tmp_path, capsys, words, expected):
    code = train(
        *(word.format(drive=drive) for word in words), *([] if "--resume" in words else ["--out", tmp_path / "t"])
    )
    lines = capsys.readouterr().err.strip().splitlines()
    assert code == 2 and len(lines) == 1 and expected in lines[0], lines


def test_a_folder_that_holds_a_training_is_not_overwritten(drive, tmp_path, capsys):
    words = ["--data", drive, *SMALL, "--set", "loop.max_steps=1", "--out", tmp_path / "t"]
    assert train(*words) == 0
    assert train(*words) == 2
    assert f"continue it with --resume {tmp_path / 't'}" in capsys.readouterr().err


def test_the_settings_file_and_older_results_are_never_replaced_in_silence(drive, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.yaml").write_text("loop.max_steps: 1\n")
    for force in ([], ["--force"]):
        assert train(drive, *SMALL, "--config", "train.yaml", "--out", ".", *force) == 2
        assert "train.yaml is read (train.yaml) and would be replaced: choose another --out" in capsys.readouterr().err
    assert Path("train.yaml").read_text() == "loop.max_steps: 1\n" and list(tmp_path.iterdir()) == [
        tmp_path / "train.yaml"
    ]
    Path("t").mkdir()
    Path("t/best.safetensors").write_text("mine")
    words = [drive, *SMALL, "--config", "train.yaml", "--out", "t"]
    assert train(*words) == 2
    assert "t holds best.safetensors, which the results would replace" in capsys.readouterr().err
    assert train(*words, "--force") == 0
    assert "--force: replaces best.safetensors in t" in capsys.readouterr().out
    assert load_checkpoint("t/best.safetensors").header.width == 96


def test_settings_that_do_not_fit_the_state_leave_the_folder_as_it_was(drive, tmp_path, capsys):
    assert train(drive, *SMALL, "--set", "loop.max_steps=1", "--out", tmp_path / "t") == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    assert train("--resume", tmp_path / "t", "--set", "networks.depth=resnet18") == 2
    assert "resume with the train.yaml beside it" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()} == before


@pytest.mark.parametrize("name", ["kitti06_stereo_raw_mono8_sqlite3", "kitti_colour_compressed_mcap"])
def test_real_recordings_need_nothing_but_a_path(monodepth_data, linked, tmp_path, name, capsys):
    recording = linked(monodepth_data / "rosbag2" / name)
    small = [word.replace("width=96", "width=160").replace("height=32", "height=64") for word in SMALL]
    assert train("--data", recording, *small, "--set", "loop.max_steps=2", "--out", tmp_path / "t") == 0
    log = [json.loads(line) for line in (tmp_path / "t" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log if line["kind"] == "train"] == [1, 2]
    assert type(load_checkpoint(tmp_path / "t" / "last.safetensors").depth) is type(build_depth("rt_monodepth_s"))


def test_the_documentation_names_options_and_settings_that_exist(capsys):
    pages = [Path(__file__).resolve().parents[2] / name for name in ("docs/training.md", "docs/training_data.md")]
    text = "\n".join(page.read_text() for page in pages)
    with pytest.raises(SystemExit):
        train("--help")
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    calls = re.findall(r"monodepth train .*|monodepth_ros.cli.main train .*", text)
    named = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", "\n".join(calls)))
    assert named <= known, f"not options: {named - known}"
    settings = set(specifications(TrainConfig))
    sections = {name.partition(".")[0] for name in settings}
    words = {
        word
        for word in re.findall(r"(?<![\w./])([a-z_]+(?:\.[a-z_]+)+)(?![\w/])", text)
        if word.partition(".")[0] in sections
    }
    assert words and words <= settings, f"not settings: {words - settings}"
    objective = pages[0].read_text().partition("## The objective")[2].partition("\n## ")[0]
    table = re.findall(r"^\| `([\w.]+)` \|", objective, re.MULTILINE)
    assert {f"objective.{name}" for name in table} <= settings and len(table) >= 5
