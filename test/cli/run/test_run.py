# SPDX-License-Identifier: Apache-2.0
"""`monodepth run`: results from every kind of source."""

import csv
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth
from monodepth_ros.offline.results.ffmpeg_writer import has_ffmpeg
from monodepth_ros.pipeline.run_parameters import read_run_config

FRAMES = 8
_header = load_checkpoint(bundled_checkpoint()).header
BUNDLED_SIZE = _header.width, _header.height

VIDEO = "depth.mp4" if has_ffmpeg() else "depth.webm"


class Sources(HTMLParser):
    """Collects the addresses that a page would load."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.found += [value for name, value in attributes if name in ("src", "href", "data", "srcset")]


def test_a_bag_gives_all_results(drive, run, tmp_path):
    code, printed, results = run(drive, "--out", str(tmp_path / "out.mcap"))
    assert code == 0, printed.err
    there = {path.name for path in results.iterdir()}
    assert there == {
        "depth", VIDEO, "cloud.ply", "trajectory_tum.txt", "trajectory_kitti.txt", "config.yaml",
        "frames.csv", "metrics.json", "run.json", "report.html",
    }  # fmt: skip
    assert len(list((results / "depth").glob("*.png"))) == FRAMES
    assert len(np.loadtxt(results / "trajectory_kitti.txt")) == FRAMES
    assert read_run_config(results / "config.yaml").base_frame == "auto"
    rows = list(csv.DictReader((results / "frames.csv").open()))
    assert [row["name"] for row in rows] == [f"{i:06d}" for i in range(FRAMES)]
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["depth"]["frames"] == metrics["trajectory"]["frames"] == FRAMES
    # The lens is distorted and the image smaller than the checkpoint's; depth must still be usable.
    assert metrics["depth"]["abs_rel"] < 0.5 and metrics["depth"]["scaling"] == "none", metrics
    assert 2 < metrics["trajectory"]["path_length"] < 12, metrics
    summary = json.loads((results / "run.json").read_text())
    assert summary["frames"] == FRAMES and summary["unit"] == "m", summary
    assert "of base_link (the root of the frames above camera" in summary["odometry"], summary["odometry"]
    assert f"{FRAMES}/{FRAMES} frames" in printed.err and "frames/s" in printed.err
    assert "\r" not in printed.err, "a bar is for terminals"
    motion = re.search(r"motion       ([\d.]+) m travelled, lost at (\d+) of 8 frames", printed.out)
    assert motion and abs(float(motion[1]) - metrics["trajectory"]["path_length"]) < 2, printed.out
    assert re.search(r"drift [\d.]+ % and [\d.]+ deg/100 m over", printed.out)
    adapt, node = printed.out.splitlines()[-2:]
    assert adapt == f"next         monodepth adapt {drive}"
    parameters = results.resolve() / "config.yaml"
    assert node.split()[1:5] == ["ros2", "launch", "monodepth_ros", "depth.launch.py"] and node.endswith(
        f" params_file:={parameters} image:=/camera/image_raw"
    ), node


def test_images_are_run_by_pattern_and_one_by_one(tmp_path, run):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.random.default_rng(i).integers(0, 255, (32, 96, 3), np.uint8))
    for words, names in (
        ([tmp_path / "1.png"], ["1"]),
        ([tmp_path / "[02].png"], ["0", "2"]),
        ([tmp_path / "2.png", str(tmp_path / "1.png")], ["1", "2"]),
    ):
        code, printed, results = run(*words, "--no-video", "--depth", "npz")
        assert code == 0 and sorted(path.stem for path in (results / "depth").glob("*.npz")) == names, printed.err
    code, printed, _ = run(tmp_path / "1.png", "drive.mcap")
    assert code == 2 and "reads one recording, or several images: drive.mcap is one more" in printed.err


def test_the_share_of_the_image_with_depth_is_printed_and_reported(run, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((240, 320, 3), 90, np.uint8))
    camera = CameraModel.pinhole(320, 240, 277.0, 277.0, 159.5, 119.5)
    write_calibration(tmp_path / "calibration.yaml", camera, "camera")
    line = "100 % of the image gets depth (the whole image at 128x96"
    code, printed, results = run(tmp_path, "--calibration", str(tmp_path / "calibration.yaml"))
    assert code == 0 and f"320x240: {line}" in printed.out, printed
    assert "preparing the engine for images of 128x96" in printed.err, "what keeps the first frame waiting is said"
    assert line in (results / "report.html").read_text()
    assert json.loads((results / "run.json").read_text())["views"][0].startswith(f"320x240: {line}")


def test_the_report_opens_from_disk(drive, run):
    _, _, results = run(drive)
    page = (results / "report.html").read_text()
    sources = Sources()
    sources.feed(page)
    others = [source for source in sources.found if not source.startswith("data:image/jpeg;base64,")]
    assert len(sources.found) > 12 and others == [VIDEO], others
    assert "video" in sources.tags and (results / others[0]).stat().st_size > 1000
    assert (
        "script" not in sources.tags
        and "link" not in sources.tags
        and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    )
    assert sources.tags.count("svg") == 5 and page.count("relative error") >= 6
    for title in (
        "Path of the camera from above",
        "Median depth",
        "Absolute relative error",
        "Depth error",
        "Odometry error",
    ):
        assert title in page


def test_the_written_bag_plays_beside_the_recording(drive, run, tmp_path):
    out = tmp_path / "out.mcap"
    code, printed, _ = run(drive, "--out", str(out), "--depth", "none", "--no-video")
    assert code == 0, printed.err
    with Recording(drive) as recording, Recording(out) as written:
        counts = {name: topic.count for name, topic in written.topics.items()}
        per_frame = ("image", "camera_info", "points", "color")
        assert counts == {
            **{f"/depth/{name}": FRAMES for name in per_frame},
            "/rgb/image_rect": FRAMES,
            "/depth/status": FRAMES,
            "/odom": FRAMES,
            "/odom/correspondences": FRAMES,
            "/twist": FRAMES,
            "/tf": FRAMES,
            "/path": 2,
            "/tf_static": 1,
            "/diagnostics": 1,
        }
        received = [stamp for _, stamp, _ in recording.read(["/camera/image_raw"])]
        stamps = [m.header.stamp for _, _, m in recording.read(["/camera/image_raw"])]
        for name in ("/depth/image", "/depth/points", "/odom", "/twist"):
            messages = list(written.read([name]))
            assert [stamp for _, stamp, _ in messages] == received, f"{name} would play at another time"
            assert [m.header.stamp for _, _, m in messages] == stamps
        pairs = zip(written.read(["/odom"]), written.read(["/twist"]), strict=True)
        for (_, _, odometry), (_, _, twist) in pairs:
            assert twist.header.frame_id == odometry.child_frame_id == "base_link"
            assert repr(twist.twist) == repr(odometry.twist)
        assert twist.twist.twist.linear.x > 1.0, "the last frame's speed"
        cloud, info = written.first("/depth/points"), written.first("/depth/camera_info")
        assert cloud.header.frame_id == info.header.frame_id == "camera_optical_frame"
        assert (cloud.width, cloud.height) == (info.width, info.height) == BUNDLED_SIZE
        transform = written.first("/tf").transforms[0]
        assert (transform.header.frame_id, transform.child_frame_id) == ("odom", "base_link")
    code, printed, _ = run(drive, "--out", str(out))
    assert code == 2 and "exists already" in printed.err


def test_the_written_bag_holds_compressed_depth_if_configured(drive, run, tmp_path):
    out = tmp_path / "out.mcap"
    options = ["--set", "depth.compressed=true", "--set", "depth.encoding=16UC1", "--frames", "2"]
    code, printed, _ = run(drive, "--out", str(out), *options)
    assert code == 0, printed.err
    with Recording(out) as written:
        raw, packed = (written.first(f"/depth/image{ending}") for ending in ("", "/compressedDepth"))
    assert packed.format == "16UC1; compressedDepth png"
    assert repr(packed.header.stamp) == repr(raw.header.stamp)
    millimetres = cv2.imdecode(packed.data[12:], cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(millimetres, raw.data.view(np.uint16).reshape(raw.height, raw.width))


def test_several_topics_are_printed_ready_to_paste(tmp_path, run):
    path = tmp_path / "two cameras.mcap"
    assert main(["synth", "--out", str(path), "--seconds", "0.2", "--width", "64", "--height", "32", "--stereo"]) == 0
    code, printed, _ = run(path, "--depth", "npz")
    lines = printed.err.splitlines()
    assert code == 2 and "has 2 cameras" in lines[0]
    assert [line.split()[-2:] for line in lines[1:]] == [
        ["--topic", f"/{side}/image_raw"] for side in ("left", "right")
    ]
    assert f"'{path}'" in lines[1] and "--depth npz" in lines[1] and lines[1].startswith("  monodepth run ")
    assert main([*shlex.split(lines[1])[1:], "--no-video"]) == 0, "the printed line does not work"


@pytest.mark.parametrize("resolution", ["network", "image"])
def test_a_folder_without_calibration_gives_depth_and_no_cloud(tmp_path, run, resolution):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), np.random.default_rng(i).integers(0, 255, (60, 200, 3), np.uint8))
    code, printed, results = run(folder, "--set", f"depth.resolution={resolution}", "--set", "odometry.enabled=false")
    assert code == 0, printed.err
    assert "assuming a field of view of 60 degrees" in printed.out
    assert "--calibration FILE" in printed.out and f"next         monodepth calibrate {folder}\n" in printed.out
    page = (results / "report.html").read_text()
    assert "[m]" not in page and ">m<" not in page, "a length in metres without a calibration"
    assert "relative" in printed.out and '"unit": "network units"' in (results / "run.json").read_text()
    there = {path.name for path in results.iterdir()}
    assert not there & {"cloud.ply", "trajectory_tum.txt", "metrics.json"} and "report.html" in there
    size = cv2.imread(str(results / "depth" / "0.png"), cv2.IMREAD_UNCHANGED).shape
    assert size == (BUNDLED_SIZE[::-1] if resolution == "network" else (60, 200))


def test_a_video_runs(tmp_path, run):
    writer = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (416, 128))
    for i in range(4):
        writer.write(np.random.default_rng(i).integers(0, 255, (128, 416, 3), np.uint8))
    writer.release()
    code, printed, results = run(tmp_path / "film.avi", "--frames", "3")
    assert code == 0 and json.loads((results / "run.json").read_text())["frames"] == 3, printed.err


def test_millimetres_and_relative_depth_are_labelled(tmp_path, drive, run):
    path = tmp_path / "relative.safetensors"
    header = CheckpointHeader("rt_monodepth_s", 64, 192, (0.58, 1.92, 0.5, 0.5))
    save_checkpoint(path, header, build_depth("rt_monodepth_s"))
    code, printed, _ = run(drive, "--checkpoint", str(path))
    assert code == 2 and printed.err.count("\n") == 1 and "--set scale.source=relative" in printed.err
    code, printed, results = run(drive, "--checkpoint", str(path), "--set", "scale.source=relative")
    assert code == 0, printed.err
    assert json.loads((results / "depth" / "format.json").read_text())["unit"] == "network units"
    assert json.loads((results / "metrics.json").read_text())["depth"]["scaling"] == "median"
    fixed = ["--set", "scale.source=fixed", "--set", "scale.factor=10"]
    depths = []
    for encoding in ("32FC1", "16UC1"):
        code, printed, results = run(
            drive, "--checkpoint", str(path), *fixed, "--set", f"depth.encoding={encoding}", "--depth", "npz"
        )
        assert code == 0, printed.err
        depths.append(np.load(results / "depth" / "000003.npz")["depth"])
    known = np.isfinite(depths[1])
    assert known.any() and np.abs(depths[0][known] - depths[1][known]).max() < 6e-4, (
        "millimetres are rounded to half of one"
    )


def test_real_recordings_run(monodepth_data, run):
    code, printed, results = run(monodepth_data / "rosbag2" / "kitti_colour_compressed_mcap", "--frames", "4")
    assert code == 0 and (results / "cloud.ply").exists(), printed.err
    weights = monodepth_data / "rtmonodepth_s_weights" / "ms_640_192"
    sequence = monodepth_data / "kitti_odom_06_f000-050_gray_stereo"
    code, printed, results = run(sequence, "--frames", "6", "--camera", "right")
    assert code == 0 and json.loads((results / "metrics.json").read_text())["trajectory"]["path_length"] > 5, (
        printed.err
    )
    drive_0052 = monodepth_data / "kitti_raw_2011_09_26_drive_0052"
    code, printed, results = run(drive_0052, "--checkpoint", str(weights), "--duration", "1")
    metrics = json.loads((results / "metrics.json").read_text())["depth"]
    # The published protocol gives 0.237 over all 78 frames.
    assert code == 0 and metrics["frames"] == 10 and 0.15 < metrics["abs_rel"] < 0.3, metrics


def test_the_bundled_checkpoint_is_named_if_it_was_not_asked_for(drive, run):
    code, printed, results = run(drive, "--frames", "1", "--no-video", "--depth", "none")
    line = "no checkpoint given: running the bundled 'demonstration', learned from synthetic streets"
    assert code == 0 and line in printed.out, printed.out
    what_it_is = "demonstration (bundled, learned from synthetic streets)"
    assert what_it_is in printed.out and what_it_is in (results / "report.html").read_text(), printed.out
    code, printed, _ = run(drive, "--frames", "1", "--no-video", "--depth", "none", "--checkpoint", "demonstration")
    assert code == 0 and "no checkpoint given" not in printed.out, printed.out


def test_the_documentation_names_all_options_and_files(capfd, drive, run):
    page = Path(__file__).resolve().parents[3] / "docs" / "run.md"
    if not page.exists():
        pytest.skip("an installed copy has no docs/ beside the tests")
    text = "\n".join(line for line in page.read_text().splitlines() if not line.startswith("monodepth synth"))
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    known = set(re.findall(r"--[a-z-]+", capfd.readouterr().out))
    named = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", text))
    assert named <= known, f"not options: {named - known}"
    assert not known - named - {"--help", "--device", "--results"}, f"not told: {known - named}"
    _, _, results = run(drive)
    for path in results.iterdir():
        assert f"`{path.name}" in text, f"{path.name} is not told"


def test_every_second_image_of_a_drive(drive, run):
    code, printed, results = run(drive, "--every", "2", "--no-video", "--depth", "none")
    assert code == 0, printed.err
    summary = json.loads((results / "run.json").read_text())
    assert summary["frames"] == FRAMES // 2 and f"{FRAMES // 2}/{FRAMES // 2} frames" in printed.err
