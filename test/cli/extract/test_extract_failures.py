# SPDX-License-Identifier: Apache-2.0
"""`monodepth extract` that is interrupted or runs out of disk space leaves usable frames."""

import json
import resource
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.open_dataset import open_dataset

NETWORKS = NetworksConfig(width=96, height=32)


def without(recording, out, is_dropped):
    """A copy of a bag without the messages for which is_dropped(topic, nanoseconds since the first) is true."""
    with Recording(recording) as bag, BagWriter(out) as writer:
        for topic in bag.topics.values():
            writer.add_topic(topic.name, topic.type, topic.latched)
        for message in bag.messages():
            if not is_dropped(message.topic, message.stamp_ns - bag.start_ns):
                writer.write_raw(message.topic, message.stamp_ns, message.data)
    return out


def test_a_full_disk_is_one_line_and_leaves_usable_frames(drive, tmp_path, capsys):
    """A limit on the size of files stands in for a full disk; poses.txt is the first file to exceed it."""
    small = without(drive, tmp_path / "small.mcap", lambda topic, ns: topic == "/ground_truth/depth")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        code = main(["extract", str(small), "--out", str(tmp_path / "out"), "--jpeg", "5", "--mono"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    printed = capsys.readouterr()
    lines = [line for line in printed.err.splitlines() if "frames/s" not in line]
    assert code == 2 and len(lines) == 1 and "poses.txt cannot be written: File too large" in lines[0], printed.err
    assert not list((tmp_path / "out").rglob(".*"))
    count = len(list((tmp_path / "out" / "image_2").glob("*.jpg")))
    with open_source(str(tmp_path / "out")) as source:
        frames = list(source.frames())
    assert len(frames) == count > 5 and all(frame.T_world_camera is not None for frame in frames)
    lengths = [len((tmp_path / "out" / name).read_text().splitlines()) for name in ("times.txt", "poses.txt")]
    assert lengths == [count, count] and f"{count} in" in printed.out, "what is kept is listed"
    assert json.loads((tmp_path / "out" / "extract.json").read_text())["frames"] == count


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of thirty images with their calibration."""
    folder = tmp_path_factory.mktemp("images")
    texture = cv2.resize(np.random.default_rng(0).integers(0, 256, (40, 160), np.uint8), (640, 160))
    for i in range(30):
        cv2.imwrite(str(folder / f"{i}.jpg"), np.roll(texture, 7 * i, axis=1))
    write_calibration(folder / "camera.yaml", CameraModel.pinhole(640, 160, 400.0, 400.0, 319.5, 79.5), "camera")
    return folder


INTERRUPTED_AT_12 = """
import itertools, signal, sys
from monodepth_ros.cli.main import main
from monodepth_ros.cli.progress import Progress
step, done = Progress.step, itertools.count(1)
def interrupted(self):
    step(self)
    if next(done) == 12:
        signal.raise_signal(NUMBER)
Progress.step = interrupted
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_extraction_leaves_usable_frames(images, tmp_path, number):
    program = INTERRUPTED_AT_12.replace("NUMBER", str(int(number)))
    words = ["extract", str(images), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert done.returncode == (130 if number == signal.SIGINT else -number), done.stderr
    assert not list((tmp_path / "out").rglob(".*")), "no part of a file is left"
    count = len(list((tmp_path / "out" / "image_0").glob("*.png")))
    with open_dataset(DataConfig(recordings=(str(tmp_path / "out"),)), NETWORKS) as dataset:
        assert len(dataset.recordings[0].clip.index) == count == 12
