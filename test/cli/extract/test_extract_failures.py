# SPDX-License-Identifier: Apache-2.0
"""`monodepth extract` that is interrupted or runs out of disk space leaves usable frames."""

import json
import resource
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

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


def test_a_full_disk_is_one_line_and_leaves_usable_frames(drive, tmp_path):
    """A limit on the size of files stands in for a full disk; poses.txt is the first file to exceed it."""
    small = without(drive, tmp_path / "small.mcap", lambda topic, ns: topic == "/ground_truth/depth")
    program = "import sys; from monodepth_ros.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = ["extract", str(small), "--out", str(tmp_path / "out"), "--jpeg", "5", "--mono"]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = subprocess.run([sys.executable, "-c", program, *words], preexec_fn=limit, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if "frames/s" not in line]
    assert done.returncode == 2 and len(lines) == 1 and "poses.txt cannot be written: File too large" in lines[0], (
        done.stderr
    )
    assert not list((tmp_path / "out").rglob("*.part"))
    count = len(list((tmp_path / "out" / "image_2").glob("*.jpg")))
    with open_source(str(tmp_path / "out")) as source:
        frames = list(source.frames())
    assert len(frames) == count > 5 and all(frame.T_world_camera is not None for frame in frames)
    lengths = [len((tmp_path / "out" / name).read_text().splitlines()) for name in ("times.txt", "poses.txt")]
    assert lengths == [count, count] and f"{count} in" in done.stdout, "what is kept is listed"
    assert json.loads((tmp_path / "out" / "extract.json").read_text())["frames"] == count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_extraction_leaves_usable_frames(drive, tmp_path, number):
    program = "import sys; from monodepth_ros.cli.main import main; sys.exit(main(sys.argv[1:]))"
    (tmp_path / "in").mkdir()
    texture = cv2.resize(np.random.default_rng(0).integers(0, 256, (40, 160), np.uint8), (640, 160))
    for i in range(300):
        cv2.imwrite(str(tmp_path / "in" / f"{i}.jpg"), np.roll(texture, 7 * i, axis=1))
    write_calibration(
        tmp_path / "in" / "camera.yaml", CameraModel.pinhole(640, 160, 400.0, 400.0, 319.5, 79.5), "camera"
    )
    words = ["extract", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    images = tmp_path / "out" / "image_0"
    while process.poll() is None and len(list(images.glob("*.png"))) < 12:
        time.sleep(0.002)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the extraction ended before the signal")
    assert process.returncode == (130 if number == signal.SIGINT else -number), err
    count = len(list(images.glob("*.png")))
    with open_dataset(DataConfig(recordings=(str(tmp_path / "out"),)), NETWORKS) as dataset:
        assert 12 <= len(dataset.recordings[0].clip.index) == count < 300
