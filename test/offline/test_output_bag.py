# SPDX-License-Identifier: Apache-2.0
"""The bag of an offline run has the topics of the node, its status and its pictures, too."""

from pathlib import Path

import numpy as np
import pytest
from rosbags.typesys import get_types_from_msg

from monodepth_ros.data.bags import depth_status
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.odometry.scale.source import ScaleKind, ScaleState
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.offline.frames import DUPLICATE, SourcePipeline
from monodepth_ros.offline.results.output_bag import OutputBag
from monodepth_ros.offline.run import BAG
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted
from monodepth_ros.synthetic.drive_bag import write_drive

PROJECT = Path(__file__).resolve().parents[2]
FRAMES = 4


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    drive = Drive(9401, seconds=FRAMES / 5, rate=5, cameras={"camera": mounted(default_camera(320, 96))})
    assert list(write_drive(drive, path))[-1] == FRAMES
    return path


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint(bundled_checkpoint())


def written(recording, checkpoint, path, **settings):
    """Messages of the bag by topic, and the results that they were made of."""
    changes = {name.replace("__", "."): value for name, value in settings.items()}
    config = replace(RunConfig(), {"checkpoint": "weights.safetensors"} | changes)
    engine = create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32", engine="pytorch"))
    with BagSource(recording) as source:
        run = SourcePipeline(source, engine, checkpoint.header, config)
        frames = []
        with OutputBag(path, config, run) as bag:
            for frame in run.frames(BAG):
                if not frames:
                    source.left_out[DUPLICATE] += 1
                frames.append(frame)
                bag.write(frame)
        run.close()
    messages = {}
    with Recording(path) as bag:
        for topic, _, message in bag.read(list(bag.topics)):
            messages.setdefault(topic, []).append(message)
    return messages, [frame.result for frame in frames]


def test_every_frame_has_the_status_that_the_node_would_publish(recording, checkpoint, tmp_path):
    messages, results = written(recording, checkpoint, tmp_path / "out.mcap")
    statuses = messages["/depth/status"]
    assert len(statuses) == len(results) == FRAMES
    for number, (status, image, result) in enumerate(zip(statuses, messages["/depth/image"], results), 1):
        assert (status.header.stamp, status.header.frame_id) == (image.header.stamp, "camera_optical_frame")
        depth = image.data.view(np.float32)
        assert status.min_depth == pytest.approx(depth[np.isfinite(depth)].min(), rel=0.5)
        assert status.median_depth == pytest.approx(result.statistics.median) and 0.5 < status.valid_ratio <= 1
        assert (status.checkpoint, status.engine, status.device) == ("weights.safetensors", "pytorch", "cpu")
        assert (status.frames_processed, status.frames_duplicate, status.frames_received) == (number, 1, number + 1)
        assert status.latency_total_ms > status.latency_inference_ms > 0 and status.latency_motion_ms > 0
        assert np.isnan(status.latency_transport_ms)
    last = statuses[-1]
    assert last.scale == pytest.approx(results[-1].scale.factor * results[-1].view.depth_factor)
    assert (last.scale_source, last.scale_state) == (ScaleKind.CHECKPOINT, ScaleState.STATED)
    states = [status.odometry_state for status in statuses]
    assert states == [TrackingState.NO_DATA] + [TrackingState.TRACKING] * (FRAMES - 1)


def test_pictures_are_written_where_the_settings_make_them(recording, checkpoint, tmp_path):
    ground = {"scale__source": "camera_height", "scale__camera_height": 1.65}
    messages, results = written(recording, checkpoint, tmp_path / "both.mcap", odometry__source="features", **ground)
    for topic, name in (("/depth/ground", "ground"), ("/odom/correspondences", "correspondences")):
        assert len(messages[topic]) == FRAMES, topic
        message, picture = messages[topic][-1], getattr(results[-1], name)
        assert (message.encoding, message.header.stamp) == ("bgr8", messages["/depth/image"][-1].header.stamp)
        np.testing.assert_array_equal(message.data.reshape(picture.shape), picture)
    messages, _ = written(recording, checkpoint, tmp_path / "neither.mcap", odometry__enabled=False)
    assert not {"/depth/ground", "/odom/correspondences", "/odom"} & set(messages)
    assert {status.odometry_state for status in messages["/depth/status"]} == {TrackingState.DISABLED}


def test_the_embedded_definition_of_the_status_is_that_of_the_package():
    path = PROJECT / "msg" / "DepthStatus.msg"
    if not path.is_file():
        pytest.skip("an installed copy has no msg/ beside the tests")
    embedded = get_types_from_msg(depth_status.DEFINITION, depth_status.TYPE)
    assert embedded == get_types_from_msg(path.read_text(), depth_status.TYPE)
