# SPDX-License-Identifier: Apache-2.0
"""`monodepth extract`: the folder gives the same samples as the recording."""

import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.calibration import read_calibration, write_calibration
from monodepth_ros.data.depth.depth_codec import KITTI_COUNTS_PER_METRE, read_depth_png
from monodepth_ros.data.sources.datasets.kitti_odometry import read_poses
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.geometry.motion import invert
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.open_dataset import open_dataset

NETWORKS = NetworksConfig(width=96, height=32)


def extract(recording, out, *words):
    return monodepth(["extract", str(recording), "--out", str(out), *map(str, words)])


@pytest.fixture(scope="module")
def as_published(drive, tmp_path_factory):
    out = tmp_path_factory.mktemp("published") / "drive"
    assert extract(drive, out, "--as-published") == 0
    return out


@pytest.fixture(scope="module")
def rectified(drive, tmp_path_factory):
    out = tmp_path_factory.mktemp("rectified") / "drive"
    assert extract(drive, out) == 0
    return out


def largest_difference(recording, folder, networks=NETWORKS, sources="mono", folder_config=None):
    """Largest and mean difference of the networks' images; asserts that everything else is equal."""
    config = {"sources": sources, "cache_mb": 50}
    with (
        open_dataset(DataConfig(recordings=(str(recording),), **config), networks) as one,
        open_dataset(DataConfig(recordings=(str(folder),), **config, **(folder_config or {})), networks) as other,
    ):
        assert [s.frame for s in one.training] == [s.frame for s in other.training]
        assert [s.frame for s in one.validation] == [s.frame for s in other.validation]
        assert one.recordings[0].selection.step == other.recordings[0].selection.step
        assert one.training_camera == pytest.approx(other.training_camera, rel=1e-12)
        assert one.metres_per_unit == pytest.approx(other.metres_per_unit, rel=1e-9, nan_ok=True)
        stamps = [dataset.recordings[0].clip.index.stamps_ns for dataset in (one, other)]
        shifts = stamps[0] - stamps[1]
        assert np.ptp(shifts) <= 1, f"stamps differ by up to {np.ptp(shifts)} ns"
        differences = []
        for a, b in zip(one.training[::3], other.training[::3], strict=True):
            frames, others = one.frames(a), other.frames(b)
            motion = one.recordings[0].reference_motion(a.frame, 1), other.recordings[0].reference_motion(b.frame, 1)
            if motion[0] is not None:
                lengths = [np.linalg.norm(T[:3, 3]) for T in motion]
                assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)
            for source in frames:
                (clip, frame), (again, same) = frames[source], others[source]
                assert np.allclose(clip.view(frame).camera.K, again.view(same).camera.K, rtol=1e-12)
                difference = clip.image(frame).astype(int) - again.image(same)
                valid = clip.valid(frame)
                differences.append(np.abs(difference if valid is None else difference[valid]))
        return max(d.max() for d in differences), np.mean([d.mean() for d in differences])


@pytest.mark.parametrize("sources", ["mono", "both"])
def test_as_published_gives_identical_inputs(drive, as_published, sources):
    assert largest_difference(drive, as_published, sources=sources)[0] == 0


@pytest.mark.parametrize("sources", ["mono", "both"])
def test_rectified_images_give_nearly_identical_inputs(drive, rectified, sources):
    largest, mean = largest_difference(drive, rectified, sources=sources)
    assert largest <= 32 and mean < 1.4, f"differences of up to {largest}, {mean:.2f} of 255 in the mean"


def with_distortion(folder, out, D):
    """A copy of an extracted folder with other distortion coefficients of the left camera."""
    shutil.copytree(folder, out)
    file = out / "image_2" / "calibration.yaml"
    write_calibration(file, dataclasses.replace(read_calibration(file), D=np.array(D)), "image_2")
    return out


def test_an_undistorted_camera_needs_no_choice(as_published, tmp_path):
    recording = with_distortion(as_published, tmp_path / "plain", (0.0,) * 5)
    shutil.rmtree(recording / "image_3")
    assert extract(recording, tmp_path / "out") == 0
    assert largest_difference(recording, tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "calib.txt").exists() and not (tmp_path / "out" / "image_3").exists()


def test_the_calibration_fits_the_images(drive, as_published, rectified):
    with open_source(str(drive), SourceOptions(topic="/right/image_raw")) as source:
        camera = next(source.frames()).camera
    assert read_calibration(as_published / "image_3" / "calibration.yaml").key == camera.key
    flat = read_calibration(rectified / "image_3" / "calibration.yaml")
    assert flat.key == camera.rectified().key and flat.baseline == pytest.approx(0.54)
    assert not (as_published / "calib.txt").exists()
    rows = dict(line.split(":") for line in (rectified / "calib.txt").read_text().splitlines())
    assert np.allclose(np.fromstring(rows["P3"], sep=" ").reshape(3, 4), camera.P)


def test_an_extracted_image_folder_alone_is_a_recording_with_times_and_calibration(drive, as_published):
    with open_source(str(as_published / "image_2")) as source, open_source(str(as_published)) as whole:
        assert source.description.endswith("(20 images)")
        frames, others = list(source.frames()), list(whole.frames())
    assert [f.stamp_ns for f in frames] == [f.stamp_ns for f in others] and frames[1].stamp_ns == 100_000_000
    assert frames[0].camera.key == others[0].camera.key and frames[0].camera.is_distorted


def test_the_ground_truth_fits_the_images(drive, as_published, rectified):
    with open_source(str(drive), SourceOptions(topic="/left/image_raw")) as source:
        frames = list(source.frames())
    true_steps = [invert(a.T_world_camera) @ b.T_world_camera for a, b in zip(frames, frames[1:])]
    for folder in (as_published, rectified):
        poses = read_poses(folder / "poses.txt")
        assert np.allclose(poses[0], np.eye(4), atol=1e-9)
        assert np.allclose([invert(a) @ b for a, b in zip(poses, poses[1:])], true_steps, atol=1e-6)
    depth = read_depth_png(
        as_published / "proj_depth" / "groundtruth" / "image_2" / "000007.png", KITTI_COUNTS_PER_METRE
    )
    truth = np.where(frames[7].reference_depth < 255, frames[7].reference_depth, np.nan)
    assert np.nanmax(np.abs(depth - truth)) <= 0.5 / 256 + 1e-4
    # The depth of a ray stands at its pixel of the rectified image.
    flat = read_depth_png(rectified / "proj_depth" / "groundtruth" / "image_2" / "000007.png", KITTI_COUNTS_PER_METRE)
    camera = frames[7].camera
    pixels = np.stack(np.meshgrid(np.arange(20, 140, 3), np.arange(35, 60, 3)), -1).astype(float)
    rays = camera.rectified().backproject(pixels, np.ones(pixels.shape[:2]))
    u, v = np.moveaxis(np.rint(camera.project(rays)).astype(int), -1, 0)
    x, y = np.moveaxis(pixels.astype(int), -1, 0)
    error = np.abs(flat[y, x] / truth[v, u] - 1)
    assert np.nanmax(error) < 1e-3, f"depths differ by up to {100 * np.nanmax(error):.1f} %"


def test_poses_of_the_right_camera_follow_from_the_baseline(rectified, tmp_path):
    """poses.txt holds the left camera's poses; those of the right camera follow from the baseline."""
    with (
        open_source(str(rectified)) as left,
        open_source(str(rectified), SourceOptions(camera="right")) as right,
    ):
        pairs = list(zip(left.frames(), right.frames(), strict=True))
    for a, b in pairs[::5]:
        T = invert(a.T_world_camera) @ b.T_world_camera
        assert np.allclose(T[:3, 3], (0.54, 0, 0), atol=1e-9) and np.allclose(T[:3, :3], np.eye(3))


def test_empty_pixels_of_rectified_images_are_masked(as_published, tmp_path, capsys):
    recording = with_distortion(as_published, tmp_path / "wide", (0.35, 0.1, 0, 0, 0))
    assert extract(recording, tmp_path / "out", "--mono") == 0
    mask = tmp_path / "out" / "mask.png"
    assert f"or           monodepth train {tmp_path / 'out'} --set data.mask_file={mask}" in capsys.readouterr().out
    picture = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (64, 160) and set(np.unique(picture)) == {0, 255}
    largest, mean = largest_difference(recording, tmp_path / "out", folder_config={"mask_file": str(mask)})
    assert largest <= 32 and mean < 1.4, (largest, mean)


def test_images_can_be_jpeg(drive, tmp_path):
    assert extract(drive, tmp_path / "out", "--as-published", "--jpeg", "90", "--mono") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("image")) == ["image_2"]
    assert len(list((tmp_path / "out" / "image_2").glob("*.jpg"))) == 20
    largest, mean = largest_difference(drive, tmp_path / "out")
    assert 0 < mean < 4, (largest, mean)


def test_a_part_of_a_recording_is_extracted_and_described(drive, tmp_path):
    assert extract(drive, tmp_path / "out", "--start", "0.5", "--frames", "7") == 0
    facts = json.loads((tmp_path / "out" / "extract.json").read_text())
    with open_source(str(drive), SourceOptions(topic="/left/image_raw")) as source:
        stamps = [frame.stamp_ns for frame in source.frames()]
    assert (facts["frames"], facts["stamp_of_time_0_ns"], facts["baseline"]) == (
        7,
        stamps[5],
        pytest.approx(0.54),
    )
    assert len((tmp_path / "out" / "times.txt").read_text().splitlines()) == 7


def without(recording, out, is_dropped):
    """A copy of a bag without the messages for which is_dropped(topic, nanoseconds since the first) is true."""
    with Recording(recording) as bag, BagWriter(out) as writer:
        for topic in bag.topics.values():
            writer.add_topic(topic.name, topic.type, topic.latched)
        for message in bag.messages():
            if not is_dropped(message.topic, message.stamp_ns - bag.start_ns):
                writer.write_raw(message.topic, message.stamp_ns, message.data)
    return out


def test_missing_right_images_do_not_shift_the_others(drive, tmp_path):
    lost = (300_000_000, 800_000_000)
    gappy = without(
        drive,
        tmp_path / "gappy.mcap",
        lambda topic, ns: topic == "/right/image_raw" and any(abs(ns - t) < 5e7 for t in lost),
    )
    assert extract(gappy, tmp_path / "out", "--as-published") == 0
    names = [path.stem for path in sorted((tmp_path / "out" / "image_3").glob("*.png"))]
    assert len(names) == 18 and len(list((tmp_path / "out" / "image_2").glob("*.png"))) == 20
    assert largest_difference(gappy, tmp_path / "out", sources="both")[0] == 0
    with open_source(str(tmp_path / "out"), SourceOptions(camera="right")) as right:
        frames = list(right.frames())
    assert [frame.name for frame in frames] == names
    assert all(frame.T_world_camera is not None for frame in frames)


def test_frames_without_a_pose_have_nan_poses(drive, tmp_path):
    late = without(drive, tmp_path / "late.mcap", lambda topic, ns: topic == "/ground_truth/odometry" and ns < 5.5e8)
    assert extract(late, tmp_path / "out", "--mono") == 0
    with open_source(str(tmp_path / "out")) as source:
        known = [frame.T_world_camera is not None for frame in source.frames()]
    assert len(known) == 20 and known == sorted(known) and 12 <= sum(known) <= 15, known


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/nowhere.mcap", "--out", "{tmp}/out"], "/nowhere.mcap does not exist"),
        (["{drive}", "--out", "{tmp}"], "exists and is not an empty folder: give --out a new one"),
        (["{drive}", "--out", "{drive}"], "exists and is not an empty folder: give --out a new one"),
        (["{drive}", "--out", "/proc/out"], "/proc/out cannot be written"),
        (["{drive}", "--out", "{tmp}/out", "--stereo-topic", "/nothing"], "no topic /nothing in"),
        (["{drive}", "--out", "{tmp}/out", "--start", "100"], "has no usable images (it is empty)"),
    ],
)
def test_bad_input_is_one_line(drive, tmp_path, capsys, words, expected):
    (tmp_path / "something").touch()
    assert monodepth(["extract", *(word.format(drive=drive, tmp=tmp_path) for word in words)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and expected in lines[0], lines


def test_a_recording_without_calibration_is_extracted_as_published(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / "in" / f"{i}.png"), np.full((32, 48), 50 * i, np.uint8))
    assert extract(tmp_path / "in", tmp_path / "out", "--rate", "20", "--field-of-view", "75") == 0
    printed = capsys.readouterr()
    assert "not metres" in printed.err and "75 degrees (as stated)" in printed.err
    assert f"monodepth train {tmp_path / 'out'} --field-of-view 75.0" in printed.out
    with open_source(str(tmp_path / "out")) as source:
        frames = list(source.frames())
    assert [round(frame.stamp_ns / 1e6) for frame in frames] == [0, 50, 100] and not frames[0].camera.is_calibrated


@pytest.mark.parametrize(
    ("name", "sources", "folders"),
    [
        ("kitti_odom_06_f000-050_gray_stereo", "both", {"image_0", "image_1"}),
        ("rosbag2/kitti06_stereo_raw_mono8_sqlite3", "both", {"image_0", "image_1"}),
        ("rosbag2/kitti_colour_compressed_mcap", "mono", {"image_2"}),
    ],
)
def test_real_recordings_are_extracted(monodepth_data, linked, tmp_path, name, sources, folders):
    recording = linked(monodepth_data / name)
    assert extract(recording, tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out").glob("image_*")} == folders
    networks = NetworksConfig(width=192, height=64)
    assert largest_difference(recording, tmp_path / "out", networks, sources)[0] == 0
