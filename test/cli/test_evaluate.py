# SPDX-License-Identifier: Apache-2.0
"""`monodepth evaluate`: figures, tables and pictures from recordings and files."""

import csv
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.geometry.motion import rotation_to_quaternion
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth

FRAMES = 8


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A synthetic drive of eight frames with exact depth and poses."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    assert main(["synth", "--out", str(path), "--seconds", "0.8", "--width", "320", "--height", "96"]) == 0
    return path


@pytest.fixture(scope="module")
def frames(drive):
    with open_source(str(drive)) as source:
        return list(source.frames())


@pytest.fixture
def evaluate(capsys):
    """Run the verb; returns the exit code and the output."""

    def run(*arguments):
        capsys.readouterr()
        code = main(["evaluate", *map(str, arguments)])
        return code, capsys.readouterr()

    return run


def test_a_metric_checkpoint_is_evaluated_without_scaling(drive, evaluate, tmp_path):
    table = tmp_path / "images.csv"
    code, printed = evaluate("depth", drive, "--engine", "pytorch", "--per-image", "--csv", table, "--json", "-")
    assert code == 0, printed.err
    found = json.loads(printed.out)
    assert found["images"] == FRAMES and len(found["per_image"]) == FRAMES
    assert found["protocol"]["scaling"] == "none" and found["protocol"]["crop"] == "none"
    # The demonstration checkpoint was trained on such streets.
    assert found["mean"]["abs_rel"] < 0.35 and 0.7 < found["scale_median"] < 1.4, found["mean"]
    assert "000007" in printed.err and "std/median" in printed.err
    assert [row["image"] for row in csv.DictReader(table.open())] == [f"{i:06d}" for i in range(FRAMES)]


def test_without_calibration_depth_is_compared_by_medians(drive, evaluate, tmp_path):
    bare = tmp_path / "bare.mcap"
    with Recording(drive) as recording, BagWriter(bare) as bag:
        kept = [name for name in recording.topics if not name.endswith("camera_info")]
        for name in kept:
            bag.add_topic(name, recording.topics[name].type)
        for message in recording.messages(kept):
            bag.write(message.topic, message.stamp_ns, recording.deserialize(message))
    code, printed = evaluate("depth", bare, "--json", "-")
    found = json.loads(printed.out)
    assert code == 0 and found["protocol"]["scaling"] == "median", printed.err
    # The camera sees 82 degrees: a wrong guess bends depth little once it is scaled.
    assert found["mean"]["abs_rel"] < 0.35 and "60 degrees wide by assumption" in found["view"], found
    assert any("not metres" in note for note in found["notes"])


def test_median_scaling_and_the_improved_protocol(drive, evaluate):
    options = ["--engine", "pytorch", "--frames", "3", "--json", "-"]
    found = {}
    for name, more in {
        "plain": [],
        "median": ["--scaling", "median"],
        "improved": ["--protocol", "improved"],
        "half": ["--factor", "0.5"],
        "near": ["--max-depth", "10"],
        "mirrored": ["--post-process"],
    }.items():
        code, printed = evaluate("depth", drive, *options, *more)
        assert code == 0, printed.err
        found[name] = json.loads(printed.out)
        assert found[name]["images"] == 3
    ratio = {name: figures["scale_median"] for name, figures in found.items()}
    assert ratio["half"] == pytest.approx(2 * ratio["plain"], rel=1e-4)
    assert found["median"]["protocol"]["scaling"] == "median"
    assert not found["improved"]["protocol"]["cap_ground_truth"]
    assert found["near"]["mean"]["rmse"] < found["plain"]["mean"]["rmse"]
    assert 0 < abs(found["mirrored"]["mean"]["abs_rel"] - found["plain"]["mean"]["abs_rel"]) < 0.1


def test_saved_predictions_against_a_recording_and_against_saved_ground_truth(drive, frames, evaluate, tmp_path):
    truth = [frame.reference_depth for frame in frames]
    inverse = np.nan_to_num(1 / np.array(truth), nan=1e-3)  # the sky is infinitely far
    np.save(tmp_path / "disparities.npy", inverse / 5.4)
    array = np.empty(FRAMES, object)
    array[:] = [np.nan_to_num(depth) for depth in truth]
    np.savez_compressed(tmp_path / "gt_depths.npz", data=array)
    for place in (drive, tmp_path / "gt_depths.npz"):
        options = ["--predictions", tmp_path / "disparities.npy", "--ground-truth", place, "--json", "-"]
        code, printed = evaluate("depth", *options, "--scaling", "none", "--factor", 1 / 5.4)
        assert code == 0, printed.err
        found = json.loads(printed.out)
        assert found["images"] == FRAMES and found["mean"]["abs_rel"] < 1e-5, found["mean"]
        code, printed = evaluate("depth", *options)
        found = json.loads(printed.out)
        assert found["mean"]["abs_rel"] < 1e-5 and found["scale_median"] == pytest.approx(1 / 5.4, rel=1e-4)
    np.save(tmp_path / "depths.npy", np.array(truth))
    code, printed = evaluate(
        "depth", "--predictions", tmp_path / "depths.npy", "--depths", "--ground-truth", drive,
        "--scaling", "none", "--frames", "2",
    )  # fmt: skip
    assert code == 0 and "2 images, predicted 100.0 %" in printed.out


def test_a_split_selects_frames_and_their_ground_truth(drive, frames, evaluate, tmp_path):
    chosen = [5, 0, 2]
    split = tmp_path / "split.txt"
    split.write_text("".join(f"somewhere {number} l\n" for number in chosen))
    np.savez(tmp_path / "truth.npz", data=np.nan_to_num([frames[i].reference_depth for i in chosen]))
    options = ["--engine", "pytorch", "--crop", "none", "--json", "-", "--split", split]
    own = evaluate("depth", drive, *options)
    given = evaluate("depth", drive, *options, "--ground-truth", tmp_path / "truth.npz")
    twice = evaluate("depth", drive, drive, *options)
    assert own[0] == given[0] == twice[0] == 0, given[1].err
    own, given, twice = (json.loads(printed.out) for _, printed in (own, given, twice))
    assert [row["image"] for row in own["per_image"]] == ["000000", "000002", "000005"]
    assert given["per_image"] == own["per_image"]
    assert [row["image"] for row in twice["per_image"]][3] == "drive.mcap/000000" and twice["images"] == 6
    assert twice["mean"]["abs_rel"] == pytest.approx(own["mean"]["abs_rel"])


def test_several_cameras_are_offered_as_commands(monodepth_data, evaluate):
    path = monodepth_data / "rosbag2" / "kitti06_stereo_raw_mono8_sqlite3"
    code, printed = evaluate("odometry", path, "--align", "7dof")
    assert code == 2 and "has 2 cameras, choose one" in printed.err
    assert f"  monodepth evaluate odometry {path} --align 7dof --topic /" in printed.err


def test_the_odometry_of_a_checkpoint_is_evaluated(drive, evaluate, tmp_path):
    picture = tmp_path / "paths.png"
    code, printed = evaluate("odometry", drive, "--engine", "pytorch", "--plot", picture, "--json", "-")
    assert code == 0, printed.err
    found = json.loads(printed.out)
    assert found["poses"] == FRAMES and 2 < found["path_length"] < 12, found
    # It must see that the car drives on, and how fast, roughly.
    assert 0.5 < found["scale_ratio"] < 2 and found["aligned"]["6dof"]["ate_rmse"] < 1, found["aligned"]
    assert found["snippets"]["snippets"] == FRAMES - 2
    assert found["step_consistency"]["steps"] == FRAMES - 1 and found["step_consistency"]["nees"] > 0
    assert cv2.imread(str(picture)).shape == (800, 800, 3)
    # It is the node's odometry that is judged.
    assert found["trajectory"] == "odometry by features, pose network where they fail"


def test_settings_of_the_node_and_noise_of_the_reference(drive, evaluate):
    """Twice the camera height doubles the scale; noise of the reference lowers the NEES."""
    options = "odometry", drive, "--engine", "pytorch", "--motion", "features", "--json", "-"
    height = [
        "--set",
        "scale.source=camera_height",
        "--set",
        "scale.camera_height=3.3",
        "--set",
        "scale.time_constant=0.1",
    ]
    code, printed = evaluate(*options, *height, "--truth-noise", "1,1")
    assert code == 0, printed.err
    assert "camera's tilt" in printed.out, "the recording's transforms are not used"
    code, plain = evaluate(*options)
    high, usual = json.loads(printed.out), json.loads(plain.out)
    assert 0.4 < high["scale_ratio"] / usual["scale_ratio"] < 0.6
    assert high["step_consistency"]["nees"] < 0.1 < usual["step_consistency"]["nees"]


def test_trajectory_files_against_a_recording(frames, drive, evaluate, tmp_path):
    poses = [np.linalg.inv(frames[0].T_world_camera) @ frame.T_world_camera for frame in frames]
    kitti, tum, relative = tmp_path / "kitti.txt", tmp_path / "tum.txt", tmp_path / "poses.npy"
    np.savetxt(kitti, [T[:3].ravel() for T in poses])
    rows = [[f.stamp_ns * 1e-9, *T[:3, 3], *rotation_to_quaternion(T[:3, :3])] for f, T in zip(frames, poses)]
    np.savetxt(tum, rows[1:], fmt="%.9f")
    np.save(relative, [np.linalg.inv(b) @ a for a, b in zip(poses, poses[1:])])
    for path, count in ((kitti, FRAMES), (tum, FRAMES - 1), (relative, FRAMES)):
        code, printed = evaluate("odometry", "--trajectory", path, "--ground-truth", drive, "--json", "-")
        assert code == 0, printed.err
        found = json.loads(printed.out)
        assert found["poses"] == count, path
        assert found["aligned"]["none"]["ate_max"] < 1e-5 and found["snippets"]["mean"] < 1e-6, (path, found)
    code, printed = evaluate(
        "odometry", "--trajectory", kitti, "--ground-truth", tum.with_name("kitti.txt"),
        "--segments", "1,2", "--align", "7dof", "--segment-step", "1", "--delta", "2", "--snippet", "3",
    )  # fmt: skip
    assert code == 0, printed.err
    lines = [line.split() for line in printed.out.splitlines()]
    assert [line[0] for line in lines if line and line[0] in ("1", "2", "7dof", "none")] == ["7dof", "1", "2"]
    assert "ATE, 3 frames" in printed.out and "over 2 frames" in printed.out


def test_trajectory_files_of_several_forms_are_compared(evaluate, tmp_path):
    begin = 1_403_636_579_763_555_584
    stamps = [begin + i * 50_000_000 for i in range(6)]
    euroc = [f"{ns},{0.1 * i},0,0,0.8,0.6,0,0" for i, ns in enumerate(stamps)]
    (tmp_path / "truth.csv").write_text("\r\n".join(euroc) + "\r\n")
    tum = [f"{ns / 1e9:.6f} {0.1 * i} 0 0 0.6 0 0 0.8" for i, ns in enumerate(stamps)]
    (tmp_path / "estimate.txt").write_text("\n".join([tum[0], tum[2], tum[1], *tum[3:]]) + "\n")
    kitti = [f"1 0 0 {0.1 * i} 0 0.28 -0.96 0 0 0.96 0.28 0" for i in range(6)]
    (tmp_path / "kitti.txt").write_text("\n".join(kitti) + "\n\n")
    (tmp_path / "times.txt").write_text("".join(f"{ns}\n" for ns in stamps))
    files = ["odometry", "--trajectory", f"{tmp_path}/estimate.txt", "--align", "none", "--ground-truth"]
    for truth, more in (("truth.csv", []), ("kitti.txt", ["--times", f"{tmp_path}/times.txt"])):
        code, printed = evaluate(*files, f"{tmp_path}/{truth}", *more, "--json", f"{tmp_path}/out.json")
        assert code == 0, printed.err
        errors = json.loads((tmp_path / "out.json").read_text())["aligned"]["none"]
        assert errors["ate_rmse"] < 1e-6 and errors["rpe_rotation_rmse"] < 1e-4, errors
        assert "(TUM, seconds, qxyzw)" in printed.out and "times go back 1 times" in printed.out
    code, printed = evaluate(*files, f"{tmp_path}/truth.csv", "--ground-truth-quaternion", "xyzw")
    assert code == 0 and "qxyzw as stated" in printed.out
    code, printed = evaluate(*files, f"{tmp_path}/kitti.txt", "--times", f"{tmp_path}/none.txt")
    assert code == 2 and "--times" in printed.err and "expected a time for each frame" in printed.err


@pytest.fixture
def bad(tmp_path, drive):
    """Paths of unusable input."""
    images = tmp_path / "images"
    images.mkdir()
    for i in range(2):
        cv2.imwrite(str(images / f"{i}.png"), np.zeros((96, 320, 3), np.uint8))
    relative = tmp_path / "relative.safetensors"
    save_checkpoint(
        relative,
        CheckpointHeader("rt_monodepth_s", 64, 96, (0.5, 0.75, 0.5, 0.5)),
        build_depth("rt_monodepth_s"),
    )
    np.save(tmp_path / "five.npy", np.ones((5, 4, 4)))
    np.save(tmp_path / "nan.npy", np.full((FRAMES, 4, 4), np.nan))
    np.savez(tmp_path / "four.npz", data=np.ones((4, 96, 320)))
    np.savetxt(tmp_path / "poses.txt", np.tile(np.eye(4)[:3].ravel(), (5, 1)))
    np.savetxt(tmp_path / "short.txt", np.tile(np.eye(4)[:3].ravel(), (4, 1)))
    (tmp_path / "words.txt").write_text("no poses here\n")
    return {"here": tmp_path, "images": images, "relative": relative, "drive": drive}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("depth {images} --engine pytorch", "no ground-truth depth in 2 frames; expected a depth image"),
        ("depth", "expected either a recording to run a checkpoint on, or --predictions"),
        ("depth {drive} --ground-truth {drive}", "expected an .npz of depth maps; a recording that a"),
        ("depth {drive} --depths", "--depths goes with --predictions"),
        ("depth {drive} {images} --ground-truth {here}/four.npz", "several recordings needs --split"),
        ("depth {drive} --split {here}/words.txt --engine pytorch", "words.txt names none of the frames"),
        ("depth {drive} --ground-truth {here}/four.npz --engine pytorch", "8 frames, the ground truth 4"),
        ("depth {drive} --ground-truth {here}/four.npz --split {here}/words.txt", "1 lines, the ground"),
        ("depth 0", "a live source .0. has no ground truth"),
        ("depth {drive} --checkpoint {relative} --scaling checkpoint", "states no scale: use --scaling"),
        ("depth --predictions {here}/five.npy", "--predictions needs --ground-truth"),
        ("depth --predictions {here}/five.npy --ground-truth {here}/four.npz", "has 5 images, .*four.npz 4"),
        ("depth --predictions {here}/five.npy --ground-truth {drive}", "5 images, .* 8 frames, 8 of them"),
        ("depth --predictions {here}/nan.npy --ground-truth {drive}", "values of image 0 are no inverse"),
        ("depth --predictions {here}/five.npy --ground-truth {images}", "no ground-truth depth in 2 frames"),
        ("depth --predictions {here}/words.txt --ground-truth {drive}", "not an array file; expected a .npy"),
        ("depth {drive} --frames 1 --engine pytorch --csv {here}/words.txt/a.csv", "a.csv cannot be written"),
        ("odometry {drive} --engine pytorch --set odometry.max_points=x", "odometry.max_points"),
        ("odometry {drive} --set engine=pytorch --set device=cuda:99", "cuda:99"),
        ("odometry {images} --engine pytorch", "0 of 2 frames have a reference pose"),
        ("odometry {drive} --checkpoint {relative} --motion network", "checkpoint has no pose network"),
        ("odometry", "expected either a recording to run a checkpoint on, or --trajectory"),
        ("odometry --trajectory {here}/poses.txt", "--trajectory needs --ground-truth"),
        ("odometry --trajectory {here}/poses.txt --ground-truth {here}/short.txt", "5 poses, .*4: expected"),
        ("odometry --trajectory {here}/words.txt --ground-truth {here}/short.txt", "line 1 holds more"),
        ("odometry --trajectory {here}/poses.txt --ground-truth {images}", "0 of 2 frames have a reference pose"),
        ("odometry --trajectory {here}/poses.txt --ground-truth {here}/none", "does not exist: expected"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(bad, evaluate, arguments, expected):
    code, printed = evaluate(*arguments.format(**bad).split())
    errors = [line for line in printed.err.splitlines() if "frames/s" not in line]
    assert code == 2 and len(errors) == 1, printed.err
    assert errors[0].startswith("monodepth evaluate: ")
    assert re.search(expected, errors[0]), errors[0]


@pytest.mark.parametrize(
    "arguments",
    [["--segments", "5,x"], ["--segments", "0"], ["--snippet", "1"], ["--truth-noise", "1"], ["--align", "sim3"]],
)
def test_options_that_do_not_parse_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "odometry", "--trajectory", "a.txt", *arguments])
    assert caught.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_the_documentation_names_all_options(capsys):
    page = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"
    if not page.exists():
        pytest.skip("an installed copy has no docs/ beside the tests")
    named = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", page.read_text()))
    known = set()
    for subject in ("depth", "odometry"):
        with pytest.raises(SystemExit):
            main(["evaluate", subject, "--help"])
        known |= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert named <= known, f"not options: {named - known}"
    # How a recording is read is told in docs/run.md.
    elsewhere = {
        "--help",
        "--device",
        "--engine",
        "--camera-info",
        "--rectified",
        "--rate",
        "--field-of-view",
        "--every",
    }
    assert not known - named - elsewhere, f"not told: {known - named - elsewhere}"
