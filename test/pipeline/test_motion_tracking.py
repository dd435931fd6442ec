# SPDX-License-Identifier: Apache-2.0
"""The pipeline's odometry from features: in the synthetic world with the bundled network, and on KITTI."""

import cv2
import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.evaluation.segment_errors import segment_errors
from monodepth_ros.evaluation.trajectory_errors import align
from monodepth_ros.geometry.motion import exp_se3, invert, make_transform, rotation_to_axis_angle
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.scale.stated import CHECKPOINT_UNCERTAINTY
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.offline.checkpoint_odometry import checkpoint_odometry
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera

TENTH = 100_000_000
UNSEEN_STREET = 1003
ODOMETRY = Demand(odometry=True)


@pytest.fixture(scope="module")
def frames():
    """Three seconds of a street that the bundled checkpoint has not seen."""
    return list(Drive(UNSEEN_STREET, 3.0, 10.0))


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint(bundled_checkpoint())


@pytest.fixture
def engine(checkpoint):
    return create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32"))


def run(engine, header, frames, source="features", change=lambda i, image: image, **settings):
    config = replace(PipelineConfig(), {"odometry.source": source} | settings)
    pipeline = FramePipeline(engine, header, config)
    return [
        pipeline.process(
            Frame((i + 1) * TENTH, Pixels(change(i, frame.image), "rgb"), default_camera()), ODOMETRY
        ).odometry
        for i, frame in enumerate(frames)
    ]


def relative_error(estimates, frames, i):
    """Error (6,) of the motion to frame i, in the axes of the frame before."""
    truth = invert(frames[i - 1].T_world_camera) @ frames[i].T_world_camera
    found = invert(estimates[i - 1].T_start_camera) @ estimates[i].T_start_camera
    return np.r_[found[:3, 3] - truth[:3, 3], rotation_to_axis_angle(found[:3, :3] @ truth[:3, :3].T)]


def test_metres_on_an_unseen_street(engine, checkpoint, frames):
    estimates = run(engine, checkpoint.header, frames)
    assert [e.state for e in estimates] == [TrackingState.NO_DATA] + [TrackingState.TRACKING] * (len(frames) - 1)
    truth = invert(frames[0].T_world_camera) @ frames[-1].T_world_camera
    error = invert(truth) @ estimates[-1].T_start_camera
    length = np.linalg.norm(truth[:3, 3])
    metres, degrees = np.linalg.norm(error[:3, 3]), np.degrees(np.linalg.norm(rotation_to_axis_angle(error[:3, :3])))
    assert metres < 0.03 * length and degrees < 0.3, f"{length:.1f} m: off by {metres:.2f} m and {degrees:.2f} degrees"


def test_the_covariance_of_a_step_is_not_smaller_than_its_errors(engine, checkpoint, frames):
    estimates = run(engine, checkpoint.header, frames, **{"odometry.scale_in_covariance": False})
    nees = []
    for i in range(2, len(frames)):
        error = relative_error(estimates, frames, i)
        covariance = estimates[i].twist_covariance * 0.1**2
        assert np.linalg.eigvalsh(covariance).min() > 0
        nees.append(error @ np.linalg.solve(covariance, error))
    assert 1.0 < np.mean(nees) < 12.0, f"normalised error squared averages {np.mean(nees):.2f}"


def test_the_uncertainty_of_the_scale_is_part_of_the_covariances_if_lengths_are_metres(engine, checkpoint, frames):
    with_scale, without, relative = (
        run(engine, checkpoint.header, frames[:4], **settings)[-1]
        for settings in ({}, {"odometry.scale_in_covariance": False}, {"scale.source": "relative"})
    )
    speed = with_scale.T_start_camera[:3, 3] / 0.3  # the street is straight
    added = with_scale.twist_covariance - without.twist_covariance
    uncertainty = np.sqrt(np.trace(added[:3, :3])) / np.linalg.norm(speed)
    assert uncertainty == pytest.approx(CHECKPOINT_UNCERTAINTY, rel=0.1), f"{100 * uncertainty:.1f} % of the speed"
    added = np.trace((with_scale.pose_covariance - without.pose_covariance)[:3, :3])
    assert np.sqrt(added) / np.linalg.norm(0.3 * speed) == pytest.approx(CHECKPOINT_UNCERTAINTY, rel=0.1)
    share = np.trace(relative.twist_covariance[:3, :3]) / (relative.twist[:3] @ relative.twist[:3])
    assert share < 0.5 * CHECKPOINT_UNCERTAINTY**2, "network units are exact"


def test_auto_uses_the_network_when_features_fail_if_its_motion_explains_the_images(engine, checkpoint, frames):
    """Blurred beyond any corner, but not beyond recognition."""

    at = {}

    def blur(i, image):
        at["frame"] = i
        return cv2.GaussianBlur(image, (0, 0), 14) if i >= 6 else image

    def exact(earlier, later):
        """T_later_earlier in network units, which the pose network would give at best."""
        i = at["frame"]
        T = invert(frames[i].T_world_camera) @ frames[i - 1].T_world_camera
        T[:3, 3] /= checkpoint.header.scale_factor
        return T

    def states(source, motion):
        engine.motion = motion
        return [e.state for e in run(engine, checkpoint.header, frames[:10], source, blur)[7:]]

    lost, tracking = [TrackingState.LOST] * 3, [TrackingState.TRACKING] * 3
    assert states("features", exact) == lost
    assert states("auto", exact) == tracking
    assert states("auto", lambda earlier, later: exp_se3(np.array((0.2, 0.0, 0.1, 0.0, 0.1, 0.0)))) == lost


def test_with_the_network_a_standstill_is_zero_and_creeping_counts_once_the_images_show_it(engine, checkpoint, frames):
    """The pose network reports motion for every pair; the image check decides whether the camera stands or creeps."""
    still = [frames[5]] * 8
    engine.motion = lambda earlier, later: exp_se3(np.array((0.1, 0.0, -0.2, 0.0, 0.05, 0.0)))
    for estimate in run(engine, checkpoint.header, still, "network")[1:]:
        assert estimate.state is TrackingState.TRACKING
        np.testing.assert_array_equal(estimate.T_start_camera, np.eye(4))
    drive = Drive(UNSEEN_STREET, 3.0, 10.0, traffic=False, changing_light=False)
    creeping = [drive.frame_at(1.0 + 0.0006 * i) for i in range(24)]
    shown = {}
    load_image = engine.load_image

    def load(rgb):
        image = load_image(rgb)
        shown[id(image)] = len(shown), image
        return image

    def exact(earlier, later):
        before, now = (creeping[shown[id(image)][0]] for image in (earlier, later))
        T = invert(now.T_world_camera) @ before.T_world_camera
        T[:3, 3] /= checkpoint.header.scale_factor
        return T

    engine.load_image, engine.motion = load, exact
    estimates = run(engine, checkpoint.header, creeping, "network")
    stood = sum(not e.twist.any() for e in estimates[1:])
    way = np.linalg.norm(creeping[-1].T_world_camera[:3, 3] - creeping[0].T_world_camera[:3, 3])
    found = np.linalg.norm(estimates[-1].T_start_camera[:3, 3])
    assert 3 < stood < 20, f"stood in {stood} of 23 images"
    assert found > 0.7 * way, f"{found:.3f} m of {way:.3f} m"


def test_a_pose_network_with_a_small_input_stays_tracked(frames):
    """96x32 pixels hold ten corners or so, the camera's image behind them enough."""
    header = CheckpointHeader("resnet18", 32, 96, (0.58, 1.92, 0.5, 0.5), pose_network="posecnn", scale_kind="metric")
    estimates = run(ForwardEngine(), header, frames[:6], "network")
    assert [e.state for e in estimates] == [TrackingState.NO_DATA] + [TrackingState.TRACKING] * 5, [
        e.note for e in estimates
    ]


class ForwardEngine(Engine):
    """A pose network that always sees the camera go ahead."""

    name, device, precision, has_pose = "forward", "cpu", "fp32", True

    def load_image(self, rgb):
        return rgb

    def disparity(self, image):
        raise AssertionError("nothing asks for depth")

    def release(self):
        pass

    def motion(self, earlier, later):
        return make_transform(np.eye(3), (0.0, 0.0, -0.8))


def test_the_engine_expects_the_pairs_whose_motion_it_is_asked_for(engine, checkpoint, frames, monkeypatch):
    """The engine is told before the frame's depth; with features it is not told at all."""
    calls, disparities, motion = [], engine.disparity, engine.motion
    monkeypatch.setattr(engine, "expect_motion", lambda *pair: calls.append(("expected", *map(id, pair))))
    monkeypatch.setattr(engine, "disparity", lambda image: (calls.append(("depth", id(image))), disparities(image))[1])
    monkeypatch.setattr(engine, "motion", lambda *pair: (calls.append(("asked for", *map(id, pair))), motion(*pair))[1])
    pipeline = FramePipeline(engine, checkpoint.header, replace(PipelineConfig(), {"odometry.source": "network"}))
    kept = []  # so that no two images have the same id
    load = engine.load_image
    monkeypatch.setattr(engine, "load_image", lambda rgb: kept.append(load(rgb)) or kept[-1])
    demand = Demand(depth=True, odometry=True)
    for i, frame in enumerate(frames[:4]):
        pipeline.process(Frame((i + 1) * TENTH, Pixels(frame.image, "rgb"), default_camera()), demand)
    ids = [id(image) for image in kept]
    assert calls == [("depth", ids[0])] + [
        call
        for i in (1, 2, 3)
        for call in (("expected", ids[i - 1], ids[i]), ("depth", ids[i]), ("asked for", ids[i - 1], ids[i]))
    ]
    calls.clear()
    run(engine, checkpoint.header, frames[:3], "features")
    assert "expected" not in [name for name, *_ in calls]


def test_a_change_of_the_source_takes_effect_with_the_next_frame(engine, checkpoint, frames):
    pipeline = FramePipeline(engine, checkpoint.header, replace(PipelineConfig(), {"odometry.source": "network"}))
    assert not pipeline.prepare(
        Frame(TENTH, Pixels(frames[0].image, "rgb"), default_camera()), ODOMETRY
    ).motion_needs_depth
    pipeline.configure(replace(PipelineConfig(), {"odometry.source": "features"}))
    assert pipeline.prepare(
        Frame(2 * TENTH, Pixels(frames[1].image, "rgb"), default_camera()), ODOMETRY
    ).motion_needs_depth
    assert pipeline.motion_description == "features"


def test_the_picture_of_the_correspondences_has_the_networks_size(engine, checkpoint, frames):
    pipeline = FramePipeline(engine, checkpoint.header, replace(PipelineConfig(), {"odometry.source": "features"}))
    demand = Demand(odometry=True, correspondences=True)
    for i in range(2):
        frame = Frame((i + 1) * TENTH, Pixels(frames[i].image, "rgb"), default_camera())
        picture = pipeline.process(frame, demand).correspondences
    header = checkpoint.header
    assert picture.shape == (header.height, header.width, 3)
    greens = (picture[..., 1].astype(int) - picture[..., 2] > 60).sum()
    assert greens > 300, f"{greens} green pixels"


@pytest.fixture(scope="module")
def kitti(monodepth_data):
    clip = monodepth_data / "kitti_odom_00_f000-150_gray_mono"
    weights = monodepth_data / "rtmonodepth_s_weights" / "ms_640_192"
    if not (clip.is_dir() and weights.is_dir()):
        pytest.skip(f"no KITTI 00 or RT-MonoDepth-S in {monodepth_data}")
    return clip, load_checkpoint(weights)


def test_kitti_00_with_a_depth_only_checkpoint(kitti):
    """Figures of docs/benchmarks/odometry.md, with a margin; the page explains most of the rotation error."""
    clip, checkpoint = kitti
    with open_source(str(clip)) as source:
        config = replace(RunConfig(), {"odometry.source": "features"})
        reference, found, notes = checkpoint_odometry(
            source,
            create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32")),
            checkpoint.header,
            config=config,
        )
    assert not any("held" in note for note in notes), notes
    aligned, _ = align(reference.poses, found.poses, "7dof")
    errors = segment_errors(reference.poses, aligned, (25, 50, 75))
    assert errors.t_err < 2.3 and errors.r_err < 3.2, f"t_err {errors.t_err:.2f} %, r_err {errors.r_err:.2f} deg/100 m"
