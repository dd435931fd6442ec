# SPDX-License-Identifier: Apache-2.0
"""Measured scales in the pipeline over a recording: exact depth and motion in units of an unknown length."""

import numpy as np
import pytest
from exact_engine import ExactEngine

from monodepth_ros.data.bags.recording import RecordingError
from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.source import ScaleKind, ScaleState
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.offline.frames import SourcePipeline
from monodepth_ros.offline.recorded_scale_inputs import RecordedScaleInputs
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.frame import Demand, Frame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted
from monodepth_ros.synthetic.drive_bag import write_drive

FACTOR = 3.1
FRAMES = 16
HEADER = CheckpointHeader("resnet18", 96, 320, (0.58, 1.92, 0.5, 0.5), pose_network="posecnn")


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A drive outside the training data: 16 frames at 5 Hz."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    drive = Drive(9401, seconds=FRAMES / 5, rate=5, cameras={"camera": mounted(default_camera(320, 96))})
    assert list(write_drive(drive, path))[-1] == FRAMES
    return path


def run(path, demand=Demand(depth=True, statistics=True, odometry=True), **settings):
    """Results of the recording, and the notes."""
    changes = {name.replace("__", "."): value for name, value in settings.items()} | {"odometry.source": "network"}
    config = replace(RunConfig(), changes)
    with BagSource(path) as source:
        run = SourcePipeline(source, ExactEngine(path, FACTOR), HEADER, config)
        found = [frame.result for frame in run.frames(demand)]
        run.close()
    assert len(found) == FRAMES
    return found, run.input_notes


@pytest.mark.parametrize(
    "settings",
    [
        {"scale__source": "camera_height", "scale__camera_height": 1.65},
        {"scale__source": "camera_height"},  # base_link lies on the ground in this recording
        {"scale__source": "auto", "scale__ground_frame": "base_link"},
    ],
)
def test_the_ground_in_the_depth_gives_metres_from_the_first_frame(recording, settings):
    found, notes = run(recording, **settings)
    assert found[-1].scale.factor == pytest.approx(FACTOR, rel=0.02)
    assert found[-1].scale.kind is ScaleKind.CAMERA_HEIGHT and found[-1].scale.state is ScaleState.MEASURED
    assert found[0].scale.factor == pytest.approx(FACTOR, rel=0.05), "a relative network has no metres to begin with"
    assert np.isfinite(found[0].depth).mean() > 0.5
    what = "tilt" if "scale__camera_height" in settings else "height (1.65 m) and tilt"
    assert f"the camera's {what} above 'base_link'" in notes[0]


@pytest.mark.parametrize("topic", ["/ground_truth/odometry", ""])
def test_the_recordings_odometry_or_the_sources_poses_give_metres(recording, topic):
    found, _ = run(recording, scale__source="odometry", scale__odometry_topic=topic)
    assert np.isnan(found[0].depth).all() and found[0].scale.state is ScaleState.WAITING
    assert found[-1].scale.factor == pytest.approx(FACTOR, rel=0.02)
    assert found[-1].scale.kind is ScaleKind.ODOMETRY and found[-1].scale.state is ScaleState.MEASURED
    assert found[-1].statistics.valid_ratio > 0.5
    speed = np.linalg.norm(found[-1].odometry.twist[:3])
    assert 5 < speed < 12.5, "metres per second"


def test_the_cameras_position_on_the_robot_comes_from_the_recordings_transforms(recording):
    with BagSource(recording) as source:
        for known in (True, False):
            travel = TravelLog()
            if not known:
                source.transforms = StaticTransforms()
            settings = ScaleConfig(source="odometry", odometry_topic="/ground_truth/odometry")
            inputs = RecordedScaleInputs(source, settings, travel)
            inputs.advance(next(source.frames()))
            inputs.close()
            assert travel.is_of_camera is known
            assert len(inputs.notes) == (not known), inputs.notes
    assert "turns are left out" in inputs.notes[0] and "'base_link'" in inputs.notes[0]


def test_outputs_that_only_the_scale_needs_are_computed_but_not_returned(recording):
    found, _ = run(recording, Demand(odometry=True), scale__source="camera_height")
    assert found[-1].scale.kind is ScaleKind.CAMERA_HEIGHT and found[-1].depth is None
    found, _ = run(recording, Demand(depth=True), scale__source="odometry")
    assert found[-1].scale.state is ScaleState.MEASURED and found[-1].odometry is None


def test_the_picture_of_the_ground_is_green_on_the_road_and_nowhere_above(recording):
    found, _ = run(recording, Demand(ground=True), scale__source="camera_height")
    picture = found[-1].ground.astype(int)
    green = picture[..., 1] - np.maximum(picture[..., 0], picture[..., 2]) > 30
    assert green[60:90, 120:200].mean() > 0.8 and green[:45].mean() < 0.05, "not the road"
    found, _ = run(recording, Demand(depth=True), scale__source="camera_height")
    assert found[-1].ground is None


def test_only_a_change_of_the_scales_own_settings_discards_its_measurements(recording):
    engine = ExactEngine(recording, FACTOR)
    pipeline = FramePipeline(engine, HEADER, replace(PipelineConfig(), {"scale.camera_height": 1.65}))
    for frame in engine.frames[:6]:
        pipeline.process(Frame(frame.stamp_ns, frame.pixels, frame.camera), Demand(depth=True))
    measured = pipeline.scale
    assert measured.state is ScaleState.MEASURED and measured.factor == pytest.approx(FACTOR, rel=0.05)
    pipeline.configure(replace(PipelineConfig(), {"scale.camera_height": 1.65, "depth.max_range": 30.0}))
    assert pipeline.scale == measured
    pipeline.configure(replace(PipelineConfig(), {"scale.camera_height": 1.5}))
    assert pipeline.scale.state is ScaleState.WAITING, pipeline.scale


def test_a_topic_without_odometry_is_refused(recording):
    with BagSource(recording) as source:
        with pytest.raises(
            RecordingError, match="/camera/camera_info holds sensor_msgs/msg/CameraInfo, expected nav_msgs"
        ):
            RecordedScaleInputs(source, ScaleConfig(odometry_topic="/camera/camera_info"), None)
        with pytest.raises(RecordingError, match="no topic /wheels"):
            RecordedScaleInputs(source, ScaleConfig(source="odometry", odometry_topic="/wheels"), None)
        RecordedScaleInputs(source, ScaleConfig(source="fixed", odometry_topic="/wheels"), None)
        unconnected = RecordedScaleInputs(source, ScaleConfig(source="camera_height", ground_frame="floor"), None)
        assert unconnected.mount.height == 0 and "'camera_optical_frame' to floor" in unconnected.notes[0]


def test_a_camera_without_motion_follows_the_camera_that_measures(recording):
    engine = ExactEngine(recording, FACTOR)
    settings = {"scale.source": "odometry", "odometry.source": "network"}
    leader = FramePipeline(engine, HEADER, replace(PipelineConfig(), settings))
    follower = FramePipeline(engine, HEADER, replace(PipelineConfig(), settings | {"odometry.enabled": False}), leader)
    assert not follower.scale.is_known
    for frame in engine.frames[:10]:
        T = frame.T_world_camera
        leader.travel.add_pose(frame.stamp_ns, T[:3, 3], (0, 0, 0, 1))
        leader.process(Frame(frame.stamp_ns, frame.pixels, frame.camera), Demand(depth=True))
    engine.next = 9
    result = follower.process(Frame(engine.frames[9].stamp_ns, frame.pixels, frame.camera), Demand(depth=True))
    assert result.scale == leader.scale and result.scale.factor == pytest.approx(FACTOR, rel=0.02)
    assert np.isfinite(result.depth).mean() > 0.5
