# SPDX-License-Identifier: Apache-2.0
"""The bag of an offline run has the topics of the node, its status and its pictures, too."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.typesys import get_types_from_msg

from monodepth_ros.data.bags import depth_status
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
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


def written(recording, checkpoint, path, with_input=False, **settings):
    """Messages of the bag by topic, and the results that they were made of."""
    changes = {name.replace("__", "."): value for name, value in settings.items()}
    config = replace(RunConfig(), {"checkpoint": "weights.safetensors"} | changes)
    engine = create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32", engine="pytorch"))
    with BagSource(recording) as source:
        run = SourcePipeline(source, engine, checkpoint.header, config)
        frames = []
        with OutputBag(path, config, run, with_input) as bag:
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


def value_at(message, field):
    """A field by its path, such as twist.twist.linear.x."""
    for name in field.split("."):
        message = getattr(message, name)
    return message


def test_the_foxglove_layout_fills_from_a_recording(recording, checkpoint, tmp_path):
    layout = PROJECT / "docs/integration/foxglove_layout.json"
    if not layout.is_file():
        pytest.skip("an installed copy has no docs/ beside the tests")
    panels = json.loads(layout.read_text())["configById"]
    messages, _ = written(recording, checkpoint, tmp_path / "out.mcap", base_frame="base_link")
    shown = [topic for topic, how in panels["3D!cloud"]["topics"].items() if how["visible"]]
    for panel in panels.values():
        shown += [panel["topicToRender"]] if "topicToRender" in panel else []
        shown += panel.get("imageMode", {}).values()
    assert len(shown) >= 6 and not [topic for topic in shown if not messages.get(topic)], "panels without messages"
    curves = [path["value"].partition(".") for panel in panels.values() for path in panel.get("paths", [])]
    empty = {
        f"{topic}.{field}"
        for topic, _, field in curves
        if not any(np.isfinite(value_at(message, field)) for message in messages.get(topic, []))
    }
    live_only = {"/depth/status.latency_transport_ms", "/depth/status.latency_publish_ms"}
    assert len(curves) >= 9 and empty == live_only, f"curves without a value: {empty}"


def test_the_frames_of_the_recording_are_in_the_bag(recording, checkpoint, tmp_path):
    path = tmp_path / "out.mcap"
    messages, _ = written(recording, checkpoint, path, base_frame="base_link")
    with Recording(path) as bag, BagSource(recording) as source:
        assert bag.topics["/tf_static"].latched, "a player that starts later gets it as well"
        found = StaticTransforms()
        found.add(messages["/tf_static"][0].transforms)
        expected = source.transforms.lookup("base_link", "camera_optical_frame")
        np.testing.assert_allclose(found.lookup("base_link", "camera_optical_frame"), expected, atol=1e-9)
        assert bag.first("/tf_static").transforms[0].header.stamp == messages["/depth/image"][0].header.stamp
    child = messages["/tf"][0].transforms[0].child_frame_id
    assert child == "base_link" and len(messages["/tf_static"]) == 1


def test_diagnostics_come_once_per_second_with_the_names_of_the_node(recording, checkpoint, tmp_path):
    messages, _ = written(recording, checkpoint, tmp_path / "out.mcap")
    (array,) = messages["/diagnostics"]  # the drive is shorter than a second
    camera, networks = array.status
    assert (camera.name, networks.name) == ("depth_node: camera", "depth_node: networks")
    assert (camera.level, camera.message) == (0, "OK")
    values = {pair.key: pair.value for pair in camera.values}
    assert values["scale state"] == "Stated" and values["odometry"] == "No data" and "resize" in values["view"], values
    messages, _ = written(recording, checkpoint, tmp_path / "relative.mcap", scale__source="relative")
    status = messages["/diagnostics"][0].status[0]
    assert status.level == 1 and "network units" in status.message, status.message


def test_mcap_is_compressed_and_db3_is_not(recording, checkpoint, tmp_path):
    written(recording, checkpoint, tmp_path / "out.mcap")
    written(recording, checkpoint, tmp_path / "out.db3")
    packed, plain = ((tmp_path / f"out.{suffix}").stat().st_size for suffix in ("mcap", "db3"))
    assert b"zstd" in (tmp_path / "out.mcap").read_bytes() and packed < 0.95 * plain, (packed, plain)


def test_the_input_is_copied_bit_by_bit_with_its_times(recording, checkpoint, tmp_path):
    path = tmp_path / "out.mcap"
    written(recording, checkpoint, path, with_input=True)
    topics = ["/camera/image_raw", "/camera/camera_info"]
    with Recording(recording) as source, Recording(path) as bag:
        for topic in topics:
            copied, original = list(bag.messages([topic])), list(source.messages([topic]))
            assert len(copied) == FRAMES and copied == original, topic
    with BagSource(path, SourceOptions(topic=topics[0])) as again:
        assert len(list(again.frames())) == FRAMES, "the bag is a recording of its own"


def test_images_of_a_folder_are_copied_as_jpeg(checkpoint, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((96, 320, 3), 60 + 40 * index, np.uint8))
    engine = create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32", engine="pytorch"))
    config = replace(RunConfig(), {"checkpoint": "weights.safetensors"})
    with open_source(str(folder)) as source:
        run = SourcePipeline(source, engine, checkpoint.header, config)
        with OutputBag(tmp_path / "out.mcap", config, run, with_input=True) as bag:
            for frame in run.frames(BAG):
                bag.write(frame)
        run.close()
    with open_source(str(tmp_path / "out.mcap"), SourceOptions(topic="/image/compressed")) as copy:
        values = [float(frame.pixels.array.mean()) for frame in copy.frames()]
    assert values == pytest.approx([60, 100, 140], abs=2)


def test_the_embedded_definition_of_the_status_is_that_of_the_package():
    path = PROJECT / "msg" / "DepthStatus.msg"
    if not path.is_file():
        pytest.skip("an installed copy has no msg/ beside the tests")
    embedded = get_types_from_msg(depth_status.DEFINITION, depth_status.TYPE)
    assert embedded == get_types_from_msg(path.read_text(), depth_status.TYPE)
