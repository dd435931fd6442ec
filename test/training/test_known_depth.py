# SPDX-License-Identifier: Apache-2.0
"""Reference depth teaches: exact points in the networks' input, metres in the header, and a smaller error."""

import json
import math

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.cli.main import main as monodepth
from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import depth_to_disparity
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.settings.schema import ConfigError, replace
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted
from monodepth_ros.training.adaptation import ADAPTED, judge, with_measured_depth
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.objective import Objective, ObjectiveConfig
from monodepth_ros.training.prediction import KnownMotion, Prediction
from monodepth_ros.training.samples.augmentation import mirror
from monodepth_ros.training.samples.batch import Batch
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.reference_points import POINTS, reference_points
from monodepth_ros.training.session import open_training_data
from monodepth_ros.training.trainer import BEST, LAST, Trainer

TINY = {
    "networks.depth": "rt_monodepth_s",
    "networks.pose": "posecnn",
    "networks.width": 96,
    "networks.height": 64,
    "objective.scales": 1,
    "objective.depth.weight": 1.0,
    "loop.batch_size": 4,
    "loop.device": "cpu",
    "optimizer.learning_rate": 1e-3,
    "optimizer.epochs": 1000,
    "data.workers": 1,
}
DEPTH = "/camera/aligned_depth_to_color/image_raw"


@pytest.fixture(scope="module")
def rgbd(tmp_path_factory):
    """Two seconds of a street, 96x64, with aligned depth in millimetres up to 30 m and holes."""
    path = tmp_path_factory.mktemp("rgbd") / "rgbd.mcap"
    model = default_camera(96, 64)
    drive = Drive(5, 2.0, cameras={"camera": mounted(model)}, traffic=False, changing_light=False)
    draw = np.random.default_rng(0)
    with BagWriter(path) as bag:
        for topic, kind in {"/color/image_raw": "Image", "/color/camera_info": "CameraInfo", DEPTH: "Image"}.items():
            bag.add_topic(topic, f"sensor_msgs/msg/{kind}")
        for frame in drive:
            at = 10**18 + round(frame.time * 1e9)
            header = messages.header(at, "color")
            depth = np.where(frame.depth < 30, frame.depth * 1000, 0).astype(np.uint16)
            depth[draw.random(depth.shape) < 0.2] = 0
            bag.write("/color/camera_info", at, messages.camera_info(header, model))
            bag.write("/color/image_raw", at, messages.image(header, frame.image, "rgb8"))
            bag.write(DEPTH, at, messages.image(header, depth, "16UC1"))
    return str(path)


def settings(path, **changes):
    given = {name.replace("__", "."): value for name, value in changes.items()}
    return replace(TrainConfig(), TINY | {"data.recordings": [path]} | given)


def test_points_lie_where_the_networks_see_them_and_holes_stay_holes():
    camera = CameraModel.pinhole(64, 48, 50.0, 50.0, 31.5, 23.5)
    view = view_through(camera, (50 / 64, 50 / 32, 0.5, 0.5), 32, 16, "area")  # the middle, at half the size
    depth = np.full((48, 64), np.nan, np.float32)
    depth[20, 10], depth[30, 41], depth[2, 10], depth[21, 12], depth[22, 12] = 2.0, 70.0, 3.0, np.inf, 0.0
    points = reference_points(depth, camera, view.camera, None, (0.1, 80.0))
    found = points[:, np.isfinite(points[2])].T
    # Rows 8 to 39 of the image are seen: u -> (u + 0.5) / 2 - 0.5.
    expected = [(4.75, (20 - 8 + 0.5) / 2 - 0.5, 2.0), (20.25, (30 - 8 + 0.5) / 2 - 0.5, 70.0)]
    np.testing.assert_allclose(sorted(found.tolist()), expected, atol=1e-5)
    masked = np.ones((16, 32), bool)
    masked[:, :10] = False
    for kept in (
        reference_points(depth, camera, view.camera, masked, (0.1, 80.0)),
        reference_points(depth, camera, view.camera, None, (5.0, 80.0)),
    ):
        assert kept[2, np.isfinite(kept[2])].tolist() == [70.0]


def test_points_of_a_distorted_image_are_undistorted():
    model = CameraModel(64, 48, K=default_camera(64, 48).K, D=np.array([-0.2, 0.05, 0, 0, 0]))
    view = view_through(model, model.rectified().normalized, 64, 48, "area")
    depth = np.full((48, 64), np.nan, np.float32)
    depth[5, 7] = 4.0
    points = reference_points(depth, model, view.camera, None, (0.1, 80.0))
    ray = view.camera.backproject(points[:2, :1].T.astype(np.float64), np.array([4.0]))
    np.testing.assert_allclose(model.project(ray), [(7.0, 5.0)], atol=1e-3)


def test_of_many_points_a_fixed_choice_over_the_whole_image_is_kept():
    camera = default_camera(640, 480)
    depth = np.full((480, 640), 5.0, np.float32)
    first, second = (reference_points(depth, camera, camera, None, (0.1, 80.0)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (3, POINTS) and np.isfinite(first).all()
    counts, _, _ = np.histogram2d(first[0], first[1], bins=4)
    assert counts.min() > 0.8 * POINTS / 16, counts


def test_a_mirrored_sample_has_mirrored_points():
    image, points = torch.rand(2, 3, 8, 16), torch.tensor([[[3.0, math.nan], [2.0, math.nan], [7.0, math.nan]]] * 2)
    batch = Batch({0: image}, {0: image}, torch.eye(3)[None].repeat(2, 1, 1), reference=points)
    turned = mirror(batch, torch.tensor([True, False])).reference
    assert turned[:, 0, 0].tolist() == [12.0, 3.0] and turned[:, 1:, 0].tolist() == [[2.0, 7.0]] * 2
    assert turned[:, :, 1].isnan().all() and points[0, 0, 0] == 3.0


@pytest.mark.parametrize("kind", ["silog", "l1"])
def test_true_depth_has_the_lowest_supervision(street, kind):
    batch, depth, motions = street
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(320.0), indexing="ij")
    known = (depth[0, 0] < 80) & (torch.rand(96, 320) < 0.1)
    points = torch.stack([columns[known], rows[known], depth[0, 0][known]])[None]
    config = replace(ObjectiveConfig(), {"depth.weight": 1.0, "depth.kind": kind})

    def term(factor):
        disparity = depth_to_disparity((factor * depth).clamp(max=90), 0.1, 100.0)
        prediction = Prediction({0: disparity}, {source: KnownMotion(T) for source, T in motions.items()})
        alone = Batch({0: batch.images[0]}, {0: batch.images[0]}, batch.K, reference=points)
        return Objective(config)(alone, prediction).terms["depth"].item()

    errors = [term(factor) for factor in (0.8, 1.0, 1.25)]
    assert errors[1] < 1e-3 and min(errors[0], errors[2]) > 10 * errors[1], errors


@pytest.mark.parametrize(("sources", "kind"), [("none", "silog"), ("mono", "l1")])
def test_a_few_steps_reduce_the_depth_error_and_the_checkpoint_is_metric(rgbd, tmp_path, sources, kind):
    config = settings(rgbd, data__sources=sources, objective__depth__kind=kind, loop__max_steps=25)
    with open_training_data(config) as dataset, Trainer(config, dataset, tmp_path) as trainer:
        assert trainer.run()
        assert trainer.header().pose_network == ("" if sources == "none" else "posecnn")
        terms = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    validations = [line for line in terms if line["kind"] == "validation"]
    before, after = validations[0]["abs_rel"], min(line["abs_rel"] for line in validations[1:])
    assert after < 0.7 * before, (before, after)
    header = load_checkpoint(tmp_path / BEST).header
    assert (header.scale_kind, header.scale_factor) == ("metric", 1.0)
    assert header.scale_origin == f"reference depth of {DEPTH}"
    assert "reference depth" in header.training_data


def test_supervision_alone_needs_neither_neighbours_nor_motion(rgbd):
    config = settings(rgbd, data__sources="none", data__min_motion=1.0)
    with open_training_data(config) as dataset:
        assert len(dataset.training) + len(dataset.validation) == 20
        assert list(dataset.frames(dataset.training[0])) == [0]
        assert any("20 of 20 frames have reference depth to learn from" in note for note in dataset.notes)
        assert any(f"reference depth: {DEPTH} (registered, 20 images)" in note for note in dataset.notes)
    with open_training_data(settings(rgbd, objective__depth__weight=0.0)) as dataset:
        assert dataset.depth_range is None and math.isnan(dataset.metres_per_unit)
        assert any("objective.depth.weight=1 learns from it" in note for note in dataset.notes)


def test_a_relative_checkpoint_gets_the_metres_that_fit_the_reference(rgbd, tmp_path):
    start = settings(rgbd, data__sources="none", loop__max_steps=20)
    with open_training_data(start) as dataset, Trainer(start, dataset, tmp_path) as trainer:
        trainer.run()
    metric = load_checkpoint(tmp_path / LAST)
    from dataclasses import replace as changed

    relative = tmp_path / "relative.safetensors"
    header = changed(metric.header, scale_kind="relative", scale_factor=1.0, scale_origin="")
    save_checkpoint(relative, header, metric.depth, metric.pose)
    found = []
    for path in (relative, tmp_path / LAST):
        with open_training_data(settings(rgbd, data__sources="none", networks__start_from=str(path))) as dataset:
            found.append(dataset.metres_per_unit)
    assert found[1] == 1.0 and found[0] == pytest.approx(1.0, rel=0.3), found


def test_settings_that_cannot_teach_are_refused_in_one_line(rgbd, tmp_path):
    with pytest.raises(ConfigError, match="data.sources none learns from reference depth alone"):
        settings(rgbd, data__sources="none", objective__depth__weight=0.0)
    with pytest.raises(ConfigError, match="objective.velocity needs neighbours"):
        settings(rgbd, data__sources="none", objective__velocity=0.1)
    with pytest.raises(ConfigError, match="data.motion features is for neighbours"):
        settings(rgbd, data__sources="none", data__motion="features")
    with pytest.raises(ConfigError, match="min_range 5 must be less than"):
        settings(rgbd, objective__depth__min_range=5.0, objective__depth__max_range=5.0)
    with pytest.raises(ConfigError, match="keep_depth leaves depth as it is"):
        settings(rgbd, networks__keep_depth=True, networks__start_from="x")
    with pytest.raises(TrainingError, match="objective.depth.weight needs reference depth.*data.depth_topic"):
        open_training_data(settings(rgbd, data__depth_topic="none"))
    with pytest.raises(MonodepthError, match="no depth: expected depth images"):
        open_training_data(settings(rgbd, data__depth_topic="/color/image_raw"))


def test_depth_of_a_kitti_folder_teaches_as_well(tmp_path):
    drive = tmp_path / "2011_09_26_drive_0001_sync"
    for folder in ("image_02/data", "proj_depth/groundtruth/image_02"):
        (drive / folder).mkdir(parents=True)
    draw = np.random.default_rng(1)
    for i in range(8):
        cv2.imwrite(str(drive / f"image_02/data/{i:010d}.png"), draw.integers(0, 255, (64, 96, 3), np.uint8))
        counts = np.zeros((64, 96), np.uint16)
        counts[32, 40 + i] = 2560
        cv2.imwrite(str(drive / f"proj_depth/groundtruth/image_02/{i:010d}.png"), counts)
    (tmp_path / "calib_cam_to_cam.txt").write_text("P_rect_02: 60 0 47.5 0 0 120 31.5 0 0 0 1 0\n")
    config = settings(str(drive), data__sources="none", data__validation_share=0.0)
    with open_training_data(config) as dataset:
        points = [dataset.reference(sample) for sample in dataset.training]
        assert dataset.scale_origin == "reference depth"
    known = np.array([found[:, np.isfinite(found[2])] for found in points])[..., 0]
    np.testing.assert_allclose(known, [(40 + i, 32, 10.0) for i in range(8)], atol=1e-4)


def test_adapt_learns_from_the_depth_of_a_recording_and_says_so(rgbd, tmp_path, capsys):
    torch.manual_seed(0)
    header = CheckpointHeader("rt_monodepth_s", 64, 96, (0.58, 1.92, 0.5, 0.5), "posecnn", licence="MIT")
    start = tmp_path / "old.safetensors"
    save_checkpoint(start, header, build_depth("rt_monodepth_s"), build_pose("posecnn"))
    few = ["optimizer.learning_rate=1e-3", "loop.validate_every=10"]
    words = ["adapt", rgbd, "--checkpoint", str(start), "--steps", "20"]
    words += [word for name in few for word in ("--set", name)]
    assert monodepth([*words, "--out", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    assert f"reference depth: {DEPTH} (registered, 20 images)" in out
    assert "20 of 20 frames have reference depth to learn from" in out
    assert "the recording's depth teaches beside the images" in out and "objective.depth.weight=0 learns from" in out
    assert "the new checkpoint is kept: the error against held-out reference depth (abs_rel) fell by" in out
    adapted = load_checkpoint(tmp_path / "a" / ADAPTED).header
    assert adapted.is_metric and adapted.scale_origin == f"reference depth of {DEPTH}" and adapted.licence == "MIT"


@pytest.mark.parametrize(
    ("name", "changes", "given", "weight"),
    [
        ("rgbd", {}, (), 1.0),
        ("rgbd", {"data.depth_topic": "none"}, (), 0.0),
        ("rgbd", {}, ("objective.depth.weight",), 0.0),
        ("exact", {}, (), 0.0),
        ("exact", {"data.depth_topic": "/ground_truth/depth"}, (), 1.0),
    ],
)
def test_measured_depth_teaches_by_itself_and_ground_truth_by_name(rgbd, tmp_path, name, changes, given, weight):
    if name == "exact":
        path = tmp_path / "exact.mcap"
        words = ["synth", "--out", str(path), "--seconds", "0.2", "--width", "32", "--height", "32"]
        assert monodepth(words) == 0
    config = replace(TrainConfig(), {"data.recordings": [rgbd if name == "rgbd" else str(path)]} | changes)
    assert with_measured_depth(config, given).objective.depth.weight == weight


def test_held_out_depth_judges_instead_of_the_loss(tmp_path):
    lines = [{"kind": "validation", "step": 0, "loss": 1.0, "spread": 0.5, "abs_rel": 0.4}]
    lines += [{"kind": "validation", "step": 50, "loss": 2.0, "spread": 0.1, "abs_rel": 0.3}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    outcome = judge(tmp_path, by_depth=True)
    assert outcome.is_better and outcome.reason.endswith("(abs_rel) fell by 25.0 %")
    assert not judge(tmp_path).is_better
