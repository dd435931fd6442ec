# SPDX-License-Identifier: Apache-2.0
"""`monodepth inspect`: agreement with the training, and warnings."""

import json
import shutil

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import NetworksConfig, TrainConfig
from monodepth_ros.training.inspection.contact_sheet import OUTLINE
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.open_dataset import open_dataset

CAMERA = CameraModel.pinhole(160, 64, 92.8, 122.88, 79.5, 31.5)


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = ["--seconds", "2.4", "--width", "160", "--height", "64", "--seed", "5", "--no-traffic", "--stereo"]
    assert monodepth(["synth", "--out", str(path), *words]) == 0
    return path


@pytest.fixture(scope="module")
def images(drive, tmp_path_factory):
    """The left camera's images as a folder, for spoilt copies."""
    out = tmp_path_factory.mktemp("images") / "drive"
    assert monodepth(["extract", str(drive), "--out", str(out), "--mono"]) == 0
    return out


@pytest.fixture
def spoilt(images, tmp_path):
    """A function that returns a copy of the folder with images changed by change(number, image)."""

    def make(change):
        shutil.copytree(images, tmp_path / "spoilt")
        for number, file in enumerate(sorted((tmp_path / "spoilt" / "image_2").glob("*.png"))):
            cv2.imwrite(str(file), change(number, cv2.imread(str(file))))
        return tmp_path / "spoilt"

    return make


def inspect(tmp_path, *words, expected=0):
    """Inspect; returns everything as JSON, the first recording in it, and its warnings as one text."""
    words = [*map(str, words), "--results", str(tmp_path / "results"), "--json", str(tmp_path / "facts.json")]
    assert monodepth(["inspect", *words]) == expected
    facts = json.loads((tmp_path / "facts.json").read_text())
    recording = facts["recordings"][0]
    return facts, recording, "\n".join(f"{w['found']} -> {w['advice']}" for w in recording["warnings"])


def test_the_inspection_agrees_with_the_training(drive, tmp_path, capsys):
    facts, recording, warnings = inspect(tmp_path, drive, "--sources", "both", "--set", "data.validation_share=0.2")
    out = capsys.readouterr().out
    config = DataConfig(recordings=(str(drive),), sources="both", validation_share=0.2)
    with open_dataset(config, NetworksConfig()) as dataset:
        assert facts["training_samples"] == recording["training_samples"] == len(dataset.training) > 10
        assert facts["validated_on"] == recording["validation_samples"] == len(dataset.validation) > 0
        assert (
            facts["pose_interval"] == dataset.pose_interval
            and recording["step"] == dataset.recordings[0].selection.step
        )
        assert facts["training_camera"] == list(dataset.training_camera) and facts["notes"] == dataset.notes
        assert facts["metres_per_unit"] == pytest.approx(dataset.metres_per_unit)
    assert sum(recording["frames_by_use"].values()) == recording["frames"] == 24
    assert (
        f"{len(dataset.training)} for training" in out and "/left/image_raw (sensor_msgs/msg/Image, 24): image" in out
    )
    assert "has 2 cameras: /left/image_raw is used" in out
    given = "--set data.validation_share=0.2"
    assert f"next            monodepth train {drive} --sources both {given}\n" in out
    assert f"or              monodepth adapt {drive} {given}\n" in out
    assert not warnings, warnings
    assert facts["would_train"] and "samples for training are few" in facts["warnings"][0]["found"]


def test_the_camera_ground_truth_and_the_stereo_partner_are_found(drive, tmp_path):
    _, recording, _ = inspect(tmp_path, drive)
    camera = recording["camera"]
    assert (camera["width"], camera["height"], camera["fx"], camera["distortion_model"]) == (
        160,
        64,
        pytest.approx(92.8),
        "none",
    )
    assert camera["horizontal_field_of_view"] == pytest.approx(np.degrees(2 * np.arctan(80 / 92.8)), abs=0.01)
    truth = recording["ground_truth"]
    assert (truth["depth_images"], truth["poses"]) == (24, 24) and 10 < truth["path_length"] < 40, truth
    assert recording["stereo"]["baseline"] == pytest.approx(0.54) and not recording["stereo"]["used"]
    assert (
        recording["rate"] == pytest.approx(10, rel=1e-6)
        and recording["unsteady_share"] == 0
        and recording["gaps"] == []
    )


@pytest.mark.parametrize(
    ("setting", "poses_use"),
    [
        ("data.motion=network", ""),
        ("data.motion=recorded", " (for training: data.motion recorded)"),
        ("objective.velocity=0.1", " (for training: objective.velocity 0.1)"),
    ],
)
def test_poses_that_teach_are_not_called_validation_only(drive, tmp_path, capsys, setting, poses_use):
    inspect(tmp_path, drive, "--set", setting)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ground truth")]
    assert "24 depth images" in line and "24 poses" in line
    if poses_use:
        assert line.endswith(poses_use) and "24 depth images (for validation only)" in line, line
    else:
        assert line.endswith("m/s (for validation only)") and "for training" not in line, line


def test_a_contact_sheet_and_the_figures_are_left_in_the_results(drive, tmp_path, capsys):
    inspect(tmp_path, drive)
    folder = tmp_path / "results" / "latest"
    sheet = cv2.imread(str(folder / "inspect.png"))
    assert sheet.shape[1] == 5 * 326 and sheet.shape[0] > 4 * 128 and sheet.std() > 30
    assert json.loads((folder / "inspect.json").read_text()) == json.loads((tmp_path / "facts.json").read_text())
    assert str((tmp_path / "results").resolve()) in capsys.readouterr().out
    # In the timeline: the colours of training and of validation.
    strip = sheet[-150:].reshape(-1, 3)
    for color in ((96, 190, 60), (230, 150, 50)):
        assert np.count_nonzero((strip == color).all(axis=1)) > 2000, color


def test_json_on_standard_output_stands_alone(drive, tmp_path, capsys):
    assert monodepth(["inspect", str(drive), "--results", str(tmp_path), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["would_train"]


def test_the_advice_for_a_hood_masks_it(spoilt, tmp_path):
    texture = cv2.resize(np.random.default_rng(1).integers(0, 256, (6, 40, 3), np.uint8), (160, 14))

    def hood(number, image):
        image[50:] = texture
        return image

    folder = spoilt(hood)
    _, recording, warnings = inspect(tmp_path, folder, "--write-mask", tmp_path / "mask.png")
    share = recording["static_region"]["hood"]
    assert 14 / 64 <= share <= 14 / 64 + 0.03 and f"--set data.hood={share:g}" in warnings, warnings
    mask = cv2.imread(str(tmp_path / "mask.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (64, 160) and not mask[50:].any() and mask[:46].all()
    for setting in (f"data.hood={share:g}", f"data.mask_file={tmp_path / 'mask.png'}"):
        _, recording, warnings = inspect(tmp_path, folder, "--set", setting)
        assert recording["static_region"] is None and "never changes" not in warnings, warnings


def test_a_dark_vignette_asks_for_a_mask(spoilt, tmp_path):
    rows, columns = np.indices((64, 160))
    lens = ((columns - 79.5) / 90) ** 2 + ((rows - 31.5) / 36) ** 2 < 1

    _, recording, warnings = inspect(
        tmp_path, spoilt(lambda number, image: image * lens[..., None]), "--write-mask", tmp_path / "m.png"
    )
    assert recording["static_region"]["hood"] == 0 and "--set data.mask_file" in warnings, warnings
    mask = cv2.imread(str(tmp_path / "m.png"), cv2.IMREAD_UNCHANGED) > 0
    wrong = np.mean(mask & ~lens), np.mean(~mask & lens)
    assert wrong[0] < 0.04 and wrong[1] < 0.06, f"{wrong} of the image masked wrongly"


def test_a_clean_recording_gets_no_mask(images, tmp_path, capsys):
    inspect(tmp_path, images, "--write-mask", tmp_path / "mask.png")
    assert "none written" in capsys.readouterr().out and not (tmp_path / "mask.png").exists()


def test_exposure_jumps_are_found(images, spoilt, tmp_path):
    assert "exposure" not in inspect(tmp_path, images)[2]
    _, recording, warnings = inspect(
        tmp_path,
        spoilt(lambda number, image: cv2.convertScaleAbs(image, alpha=0.7 if number % 8 >= 6 else 1.0)),
    )
    assert "the exposure jumps" in warnings and "objective.affine_brightness=true" in warnings, warnings
    assert 0.25 < recording["largest_brightness_change"] < 0.5
    # The advice names a setting that exists.
    assert replace(TrainConfig(), {"objective.affine_brightness": True}).objective.affine_brightness


def test_a_camera_that_only_turns_has_no_parallax(images, tmp_path):
    folder = tmp_path / "turns"
    folder.mkdir()
    texture = np.random.default_rng(2).integers(0, 256, (60, 150, 3), np.uint8)
    picture = cv2.resize(texture, (640, 256), interpolation=cv2.INTER_CUBIC)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.5)
    wide = np.array([[92.8 * 2, 0, 319.5], [0, 122.88 * 2, 127.5], [0, 0, 1]])
    for i in range(20):
        R = axis_angle_to_rotation((0.002 * np.sin(i), 0.02 * (i - 10), 0.004 * np.cos(i)))
        H = CAMERA.K @ R @ np.linalg.inv(wide)
        cv2.imwrite(str(folder / f"{i:03d}.png"), cv2.warpPerspective(picture, H, (160, 64), flags=cv2.INTER_AREA))
    write_calibration(folder / "camera.yaml", CAMERA, "camera")
    _, recording, warnings = inspect(tmp_path, folder)
    assert recording["parallax"] < 0.1 and "low parallax: in 100 % of the pairs" in warnings, (
        recording["parallax"],
        warnings,
    )
    _, recording, warnings = inspect(tmp_path, images)
    assert recording["parallax"] > 0.6 and "parallax" not in warnings, (recording["parallax"], warnings)


def test_repeated_and_blurred_frames_are_found(spoilt, tmp_path):
    kept = []

    def change(number, image):
        if number in (5, 6, 17):
            image = cv2.GaussianBlur(image, (0, 0), 3.0)
        kept.append(kept[-1] if number in (10, 14) else image)
        return kept[-1]

    _, recording, warnings = inspect(tmp_path, spoilt(change))
    assert recording["repeated_share"] == pytest.approx(2 / recording["looked_at"])
    assert "of the frames repeat the image before them" in warnings and "12 % of the frames are blurred" in warnings, (
        warnings
    )


def test_a_recording_without_calibration_is_inspected_with_a_guess_and_the_ways_out(images, tmp_path, capsys):
    bare = tmp_path / "bare"
    shutil.copytree(images / "image_2", bare)
    (bare / "calibration.yaml").unlink()
    facts, recording, warnings = inspect(tmp_path, bare)
    assert facts["would_train"] and not recording["camera"]["calibrated"] and recording["parallax"] > 0
    assert "60 degrees" in warnings and "relative" in warnings, warnings
    assert "--calibration FILE" in warnings and "monodepth calibrate RECORDING" in warnings, warnings
    out = capsys.readouterr().out
    assert "160x64, not calibrated, 60 degrees wide by assumption" in out
    next_steps = [line.split(maxsplit=1)[1] for line in out.splitlines() if line.startswith(("next ", "or "))]
    assert [command.split()[:2] for command in next_steps] == [
        ["monodepth", "calibrate"],
        ["monodepth", "train"],
        ["monodepth", "adapt"],
    ], next_steps


def test_what_the_networks_see_is_drawn_and_a_poor_view_is_warned_about(images, tmp_path, capsys):
    sheets, seen, found = [], [], []
    for name, words in (("auto", []), ("square", ["--set", "networks.width=64", "--set", "networks.height=64"])):
        (tmp_path / name).mkdir()
        _, recording, warnings = inspect(tmp_path / name, images, *words)
        sheets.append(cv2.imread(str(tmp_path / name / "results" / "latest" / "inspect.png")).astype(int))
        seen.append(recording["networks_input"]["image_coverage"])
        found.append(warnings)
    assert seen == [pytest.approx(1.0, abs=0.02), pytest.approx(0.4, abs=0.01)]
    assert "of the image" not in found[0]
    assert "input of 64x64 shows 40 % of the image" in found[1] and "networks.width=0" in found[1], found
    assert "input of 64x64, which shows 40 % of the image" in capsys.readouterr().out
    # The square lies in the middle of the first panel, which is 320 pixels wide: from 30 to 70 %.
    drawn = [(np.abs(sheet[:, 94:99] - OUTLINE).max(axis=-1) < 60).any(axis=1).sum() for sheet in sheets]
    assert drawn[0] < 20 and drawn[1] > 100, drawn


def test_gaps_and_unsteady_stamps_are_found(images, tmp_path):
    folder = tmp_path / "gaps"
    shutil.copytree(images, folder)
    times = np.arange(24) * 0.1
    times[12:] += 0.6
    times[1::4] += 0.035
    for file in (folder / "times.txt", folder / "image_2" / "times.txt"):
        file.write_text("".join(f"{time:.9f}\n" for time in times))
    _, recording, warnings = inspect(tmp_path, folder)
    assert recording["gaps"] == [{"at": pytest.approx(1.1), "seconds": pytest.approx(0.7)}]
    assert recording["missing_frames"] == 6 and recording["runs"] == 2
    assert (
        "6 frames are missing in 1 gap, which ends a run" in warnings and "of the intervals are 20 % off" in warnings
    ), warnings


def test_recordings_that_a_training_refuses_give_the_reason_and_exit_code_1(images, tmp_path, capsys):
    still = tmp_path / "still"
    shutil.copytree(images / "image_2", still)
    for file in still.glob("*.png"):
        shutil.copy(images / "image_2" / "000000.png", file)
    facts, _, warnings = inspect(tmp_path, still, expected=1)
    assert "static" in facts["refusal"] and "100 % of the triplets are static" in warnings and "repeat" in warnings, (
        warnings
    )
    assert "would refuse" in capsys.readouterr().out


def test_several_recordings_are_inspected_with_the_settings(drive, images, tmp_path):
    (tmp_path / "mine.yaml").write_text("data:\n  frame_step: 3\n")
    facts, _, _ = inspect(tmp_path, drive, images, "--config", tmp_path / "mine.yaml")
    assert [one["step"] for one in facts["recordings"]] == [3, 3] and len(facts["recordings"]) == 2
    assert facts["training_samples"] == sum(one["training_samples"] for one in facts["recordings"])
    assert (tmp_path / "results" / "latest" / "inspect_1.png").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "nothing to inspect: give one or more recordings"),
        (["/nowhere.mcap"], "/nowhere.mcap does not exist"),
        (["{images}", "--set", "data.hod=0.1"], "unknown setting 'data.hod'"),
        (["{images}", "--write-mask", "{tmp}/mask.jpg"], "a mask is a PNG: end the name in .png"),
    ],
)
def test_bad_input_is_one_line(images, tmp_path, capsys, words, expected):
    words = [word.format(images=images, tmp=tmp_path) for word in words]
    code = monodepth(["inspect", *words, "--results", str(tmp_path)])
    lines = [line for line in capsys.readouterr().err.strip().splitlines() if "reading" not in line]
    assert (code, len(lines)) == (2, 1) and expected in lines[0], lines


@pytest.mark.parametrize(
    ("name", "partner"),
    [
        ("kitti_odom_06_f000-050_gray_stereo", True),
        ("rosbag2/kitti06_stereo_raw_mono8_sqlite3", True),
        ("rosbag2/kitti_colour_compressed_mcap", False),
    ],
)
def test_real_drives_give_no_warnings(monodepth_data, linked, tmp_path, name, partner):
    facts, recording, warnings = inspect(tmp_path, linked(monodepth_data / name))
    assert facts["would_train"] and not warnings, warnings
    assert recording["parallax"] > 0.8 and recording["static_region"] is None
    assert (recording["stereo"] is not None) == partner
    if partner:
        assert recording["stereo"]["baseline"] == pytest.approx(0.5372, abs=1e-3)
