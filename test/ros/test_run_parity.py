# SPDX-License-Identifier: Apache-2.0
"""`monodepth run` and the node: one recording, one parameter file, the same results."""

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from sensor_msgs.msg import CameraInfo
from tf2_msgs.msg import TFMessage

from monodepth_ros.cli.main import main
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.transforms import TF_STATIC_QOS

SECOND = 1_000_000_000
# PyTorch, because OpenVINO does not promise the same bits each time it compiles a network (1.6e-5 were seen).
PARAMETERS = """
/**:
  ros__parameters:
    engine: pytorch
    precision: fp32
    image: {rectified: false, reliability: reliable}
    depth: {resolution: %s, max_range: 40.0}
    cloud: {stride: 2}
    odometry: {max_turn_rate: 20.0}
"""


def stamp_of(message):
    header = message.transforms[0].header if hasattr(message, "transforms") else message.header
    return header.stamp.sec * SECOND + header.stamp.nanosec


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A synthetic drive through a distorted lens."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    options = ["--seconds", "0.8", "--width", "320", "--height", "96", "--distortion", "plumb_bob"]
    assert main(["synth", "--out", str(path), *options]) == 0
    return path


def images_and_facts(path):
    """Images by stamp, the calibration and the static transforms of a drive, as live messages."""
    with Recording(path) as recording:
        images = {
            stamp_of(m): m.data.reshape(m.height, m.width, 3) for _, _, m in recording.read(["/camera/image_raw"])
        }
        recorded = recording.first("/camera/camera_info")
        static = recording.first("/tf_static").transforms
    info = CameraInfo(width=recorded.width, height=recorded.height, distortion_model=recorded.distortion_model)
    info.d, info.k, info.r, info.p = (list(getattr(recorded, name)) for name in "dkrp")
    info.header.frame_id = recorded.header.frame_id
    transforms = []
    for item in static:
        made = TransformStamped(child_frame_id=item.child_frame_id)
        made.header.frame_id = item.header.frame_id
        for part, axes in (("translation", "xyz"), ("rotation", "xyzw")):
            for axis in axes:
                setattr(getattr(made.transform, part), axis, getattr(getattr(item.transform, part), axis))
        transforms.append(made)
    return images, info, TFMessage(transforms=transforms)


def numbers(message):
    """Pose, twist and covariances of an Odometry message."""
    p, q = message.pose.pose.position, message.pose.pose.orientation
    v, w = message.twist.twist.linear, message.twist.twist.angular
    values = [p.x, p.y, p.z, q.x, q.y, q.z, q.w, v.x, v.y, v.z, w.x, w.y, w.z]
    return np.array([*values, *message.pose.covariance, *message.twist.covariance])


@pytest.mark.parametrize("resolution", ["network", "image"])
def test_run_and_node_agree(harness, pose_checkpoint, drive, tmp_path, resolution):
    parameters = tmp_path / "depth.yaml"
    parameters.write_text(PARAMETERS % resolution)
    images, info, transforms = images_and_facts(drive)

    node = harness(
        pose_checkpoint, ("--params-file", str(parameters)), odometry__source="auto", base_frame=NodeConfig().base_frame
    )
    static = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    static.publish(transforms)
    tree = node.stream.odometry_output.transforms.tree
    node.wait(lambda: tree.parent_of(info.header.frame_id), message="no tree")
    node.send_info(info)
    for stamp_ns, image in images.items():  # the next one only when the last one's results are there
        node.send(stamp_ns, image, frame=info.header.frame_id)
        for topic in ("depth/image", "odom", "depth/points", "rgb/image_rect"):
            node.output(stamp_ns, topic)
    assert len(node.received["odom"]) == len(images)

    out = tmp_path / "out.mcap"
    arguments = [
        "--checkpoint",
        str(pose_checkpoint),
        "--config",
        str(parameters),
        "--results",
        str(tmp_path / "results"),
    ]
    assert main(["run", str(drive), *arguments, "--out", str(out), "--depth", "npz"]) == 0

    with Recording(out) as recording:
        found = {topic: {} for topic in recording.topics}
        for topic, _, message in recording.read():
            found[topic][stamp_of(message)] = message
    for index, stamp_ns in enumerate(images):
        live, offline = node.output(stamp_ns, "depth/image"), found["/depth/image"][stamp_ns]
        depth = decode_depth(live)
        written = np.load(tmp_path / "results" / "latest" / "depth" / f"{index:06d}.npz")["depth"]
        for name, other in (("bag", decode_depth(offline)), ("file", written)):
            np.testing.assert_array_equal(np.isfinite(depth), np.isfinite(other), err_msg=name)
            finite = np.isfinite(depth)
            error = np.abs(depth[finite] / other[finite] - 1).max()
            assert error < 1e-5, f"frame {index}, {name}: depth differs by {error:.2g}"
        assert (live.encoding, live.step, live.header.frame_id) == (
            offline.encoding,
            offline.step,
            offline.header.frame_id,
        )

        live, offline = (numbers(m) for m in (node.output(stamp_ns, "odom"), found["/odom"][stamp_ns]))
        np.testing.assert_allclose(offline, live, rtol=1e-5, atol=1e-7, err_msg=f"odometry of frame {index}")

        live, offline = node.output(stamp_ns, "rgb/image_rect"), found["/rgb/image_rect"][stamp_ns]
        assert bytes(live.data) == bytes(offline.data), f"frame {index}: rectified images differ"

        live, offline = node.output(stamp_ns, "depth/points"), found["/depth/points"][stamp_ns]
        facts = [
            (
                m.height,
                m.width,
                m.point_step,
                m.row_step,
                m.is_dense,
                [(f.name, f.offset, f.datatype) for f in m.fields],
            )
            for m in (live, offline)
        ]
        assert facts[0] == facts[1]
        points = [np.frombuffer(bytes(m.data), np.float32).reshape(-1, 4)[:, :3] for m in (live, offline)]
        np.testing.assert_allclose(*points, rtol=1e-5)

        live, offline = node.output(stamp_ns, "depth/camera_info"), found["/depth/camera_info"][stamp_ns]
        for name in "kprd":
            np.testing.assert_allclose(getattr(live, name), getattr(offline, name), atol=1e-12, err_msg=name)

    assert {m.child_frame_id for m in found["/odom"].values()} == {"base_link"}
    live = {stamp_of(m): m.transforms[0] for m in node.received["/tf"]}
    assert set(live) == set(found["/tf"]) == set(images), f"{len(live)} and {len(found['/tf'])} transforms"
    for stamp_ns, transform in live.items():
        t, other = transform.transform.translation, found["/tf"][stamp_ns].transforms[0].transform.translation
        np.testing.assert_allclose([other.x, other.y, other.z], [t.x, t.y, t.z], rtol=1e-5, atol=1e-7)
    paths = [[len(m.poses) for m in messages] for messages in (node.received["path"], found["/path"].values())]
    assert paths[0] == paths[1], f"paths of {paths} poses"
