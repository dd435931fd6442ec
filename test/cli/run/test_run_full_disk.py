# SPDX-License-Identifier: Apache-2.0
"""`monodepth run` on a disk that becomes full: one line, and everything before is whole and listed."""

import errno
import json
import os
import resource
from pathlib import Path

import cv2
import pytest

from monodepth_ros.data.bags.recording import Recording


@pytest.fixture
def disk(monkeypatch):
    """disk(name, count): files called so can be written count times, then there is no space for them."""
    write_bytes, left = Path.write_bytes, {}

    def write(self, data):
        for name in left:
            if name in str(self):
                left[name] -= 1
                if left[name] < 0:
                    write_bytes(self, data[: len(data) // 2])
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_bytes(self, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    monkeypatch.setattr("monodepth_ros.atomic_file._unnamed", lambda folder: None)  # every file has a name
    return left.__setitem__


@pytest.mark.parametrize(("kind", "path"), [("png", "depth/000003.png"), ("npz", "depth/000003.npz")])
def test_a_full_disk_keeps_the_frames_before(drive, run, disk, kind, path):
    disk(path.replace("/", "/."), 0)
    code, printed, results = run(drive, "--depth", kind)
    last = printed.err.splitlines()[-1]
    assert code == 2 and last.startswith("monodepth run: ") and f"{path} cannot be written: No space left" in last
    assert "Traceback" not in printed.err and "results" in printed.out, printed
    summary = json.loads((results / "run.json").read_text())
    assert summary["frames"] == 3 and path in summary["ended_by"]
    files = {entry.name for entry in results.iterdir()}
    assert {name.rstrip("/") for name in summary["files"]} == files, "all are listed, and no hidden ones are left"
    assert {"report.html", "frames.csv", "trajectory_tum.txt", "cloud.ply", "config.yaml"} <= files
    assert len((results / "frames.csv").read_text().splitlines()) == 4
    names = sorted(entry.name for entry in (results / "depth").iterdir())
    assert names == [*(f"00000{number}.{kind}" for number in range(3)), "format.json"]
    assert "ended by" in (results / "report.html").read_text()


@pytest.mark.parametrize(
    "name", ["cloud.ply", "frames.csv", "metrics.json", "trajectory_tum.txt", "report.html", "config.yaml"]
)
def test_one_result_that_does_not_fit_costs_no_other(drive, run, disk, name):
    disk(f".{name}.", 0)
    code, printed, results = run(drive, "--no-video", "--depth", "none", "--frames", "3")
    assert code == 2 and f"{name} cannot be written: No space left on device" in printed.err.splitlines()[-1]
    if name == "config.yaml":  # written before the first frame
        return
    files = {entry.name for entry in results.iterdir()}
    others = {"run.json", "cloud.ply", "frames.csv", "metrics.json", "trajectory_kitti.txt", "report.html"}
    assert others - {name, name.replace("tum", "kitti")} <= files and name not in files
    assert name in json.loads((results / "run.json").read_text())["ended_by"]


def test_a_report_that_does_not_fit_is_written_without_its_pictures(drive, run, disk, monkeypatch):
    write_bytes = Path.write_bytes

    def write(self, data):
        if "report.html" in self.name and len(data) > 60_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_bytes(self, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    code, printed, results = run(drive, "--no-video", "--depth", "none")
    assert code == 2 and "report.html cannot be written" in printed.err
    page = (results / "report.html").read_text()
    assert page.endswith("</html>\n") and "motion error" in page and "data:image" not in page


def test_a_bag_on_a_full_disk_is_closed_and_the_results_are_reported(drive, run, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = tmp_path / "out.mcap"
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, before[1]))
    try:
        code, printed, results = run(drive, "--out", str(out), "--no-video", "--depth", "none")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    last = printed.err.splitlines()[-1]
    assert code == 2 and f"{out} cannot be written: File too large; it holds the first" in last, printed.err
    with Recording(out) as recording:
        assert 1 <= recording.topics["/depth/image"].count < 8
    assert (results / "report.html").exists() and str(out) in printed.out


def test_a_video_that_ends_early_is_noticed_and_still_plays(drive, run):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        code, printed, results = run(drive, "--depth", "none", "--set", "cloud.max_range=2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2 and "WARN" not in printed.err, printed.err
    assert "depth." in printed.err.splitlines()[-1] and "cannot" in printed.err.splitlines()[-1], printed.err
    for video in results.glob("depth.*"):
        assert cv2.VideoCapture(str(video)).read()[0], "what is kept can be played"
