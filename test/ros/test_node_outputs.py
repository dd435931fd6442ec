# SPDX-License-Identifier: Apache-2.0
"""The node's outputs for one camera, over DDS."""

import struct

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, CompressedImage

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.msg import DepthStatus
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE

SECOND = 1_000_000_000
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def values(message, dtype=np.float32):
    return np.frombuffer(message.data, dtype).reshape(message.height, message.width)


def expected_depth(checkpoint, image, scale=2.0):
    engine = create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32"))
    return scale * disparity_to_depth(engine.disparity(engine.load_image(image)), 0.1, 100.0)


def test_every_output_carries_the_image_stamp_frame_and_size(harness, pose_checkpoint):
    node = harness(pose_checkpoint)
    node.send_info()
    for i in range(3):
        node.send(SECOND + i * SECOND // 10, TEXTURE)
        node.output(SECOND + i * SECOND // 10, "depth/points")
    stamp = SECOND + 2 * SECOND // 10
    for topic in (
        "depth/image",
        "depth/camera_info",
        "depth/color",
        "depth/points",
        "depth/status",
        "rgb/image_rect",
        "odom",
    ):
        message = node.output(stamp, topic)
        assert message.header.frame_id == ("odom" if topic == "odom" else "camera_optical"), topic
        if hasattr(message, "width"):
            assert (message.width, message.height) == (320, 96), topic
    assert node.output(stamp, "depth/image").encoding == "32FC1"
    assert node.output(stamp, "depth/color").encoding == "bgr8"
    assert node.output(stamp, "rgb/image_rect").encoding == "rgb8"
    node.wait(lambda: node.received["/tf"] and node.received["path"] and node.received["/diagnostics"])


def test_depth_is_the_network_output_in_metres(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    depth = values(node.exchange(SECOND, TEXTURE))
    expected = expected_depth(depth_checkpoint, TEXTURE)
    inside = (expected > 0.1) & (expected < 100)
    error = np.abs(depth[inside] / expected[inside] - 1).max()
    assert inside.mean() > 0.5 and error < 1e-4, f"depth differs by {error}"
    assert np.isposinf(depth[expected > 100.01]).all()


def test_camera_info_and_cloud_belong_to_the_depth_image(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    depth = values(node.exchange(SECOND, TEXTURE))
    info = node.output(SECOND, "depth/camera_info")
    cloud = node.output(SECOND, "depth/points")
    K = np.array(info.k).reshape(3, 3)
    np.testing.assert_allclose(K[[0, 1, 0, 1], [0, 1, 2, 2]], (0.58 * 320, 1.92 * 96, 159.5, 47.5))
    assert list(info.d) == [0.0] * 5 and np.array(info.p).reshape(3, 4)[0, 0] == K[0, 0]
    points = np.frombuffer(cloud.data, CLOUD_DTYPE).reshape(cloud.height, cloud.width)
    z = np.where((depth >= 0.5) & (depth <= 60), depth, np.nan)
    np.testing.assert_array_equal(points["z"], z)
    v, u = 60, 200
    if np.isfinite(z[v, u]):
        np.testing.assert_allclose(points["x"][v, u], (u - K[0, 2]) / K[0, 0] * z[v, u], rtol=1e-5)
    packed = points["rgb"].view(np.uint32)
    np.testing.assert_array_equal(np.stack((packed >> 16, packed >> 8 & 255, packed & 255), -1), TEXTURE)


def test_16UC1_is_millimetres(harness, depth_checkpoint):
    node = harness(depth_checkpoint, depth__encoding="16UC1")
    node.send_info()
    message = node.exchange(SECOND, TEXTURE)
    assert message.encoding == "16UC1"
    expected = expected_depth(depth_checkpoint, TEXTURE)
    inside = (expected > 0.1) & (expected < 65)
    difference = values(message, np.uint16)[inside].astype(int) - np.rint(1000 * expected[inside])
    assert np.abs(difference).max() <= 2
    assert (values(message, np.uint16)[expected > 65.6] == 0).all()


def test_at_image_size_depth_info_cloud_and_colour_have_the_images_size(harness, depth_checkpoint):
    node = harness(depth_checkpoint, depth__resolution="image")
    from_camera = np.random.default_rng(0).integers(0, 255, (192, 640, 3), np.uint8)
    node.send_info(_info(640, 192))
    depth = node.exchange(SECOND, from_camera)
    assert (depth.width, depth.height) == (640, 192)
    assert node.output(SECOND, "depth/camera_info").k[0] == pytest.approx(0.58 * 640)
    rectified = node.output(SECOND, "rgb/image_rect")
    np.testing.assert_array_equal(np.frombuffer(rectified.data, np.uint8), from_camera.ravel())
    cloud = node.output(SECOND, "depth/points")
    assert (cloud.width, cloud.height) == (640, 192)


def _info(width, height, **changes):
    fx, fy, cx, cy = 0.58 * width, 1.92 * height, width / 2 - 0.5, height / 2 - 0.5
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    message.r = np.eye(3).ravel()
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def test_a_distorted_image_is_rectified(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    info = _info(320, 96, d=[-0.3, 0.05, 0.001, 0.0, 0.0])
    node.send_info(info)
    node.exchange(SECOND, TEXTURE, topic="depth/points")
    rectified = np.frombuffer(node.output(SECOND, "rgb/image_rect").data, np.uint8).reshape(96, 320, 3)
    K = np.array(info.k).reshape(3, 3)
    expected = cv2.undistort(TEXTURE, K, np.array(info.d), None, K)
    error = np.abs(rectified[8:-8, 16:-16].astype(int) - expected[8:-8, 16:-16]).mean()
    unchanged = np.abs(TEXTURE[8:-8, 16:-16].astype(int) - expected[8:-8, 16:-16]).mean()
    assert error < 1.5 and unchanged > 20, f"differs by {error} grey levels (unrectified: {unchanged})"


def test_an_image_declared_rectified_is_left_alone(harness, depth_checkpoint):
    node = harness(depth_checkpoint, image__rectified=True)
    node.send_info(_info(320, 96, d=[-0.3, 0.05, 0.001, 0.0, 0.0]))
    node.exchange(SECOND, TEXTURE, topic="depth/points")
    rectified = np.frombuffer(node.output(SECOND, "rgb/image_rect").data, np.uint8).reshape(96, 320, 3)
    np.testing.assert_array_equal(rectified, TEXTURE)


@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_compressed_images_are_read(harness, depth_checkpoint, extension):
    node = harness(depth_checkpoint, image_transport="compressed")
    node.send_info()
    smooth = cv2.GaussianBlur(TEXTURE, (0, 0), 3)
    message = CompressedImage(header=node.header(SECOND), format=extension[1:])
    message.data.frombytes(cv2.imencode(extension, smooth[..., ::-1])[1].tobytes())
    node.compressed.publish(message)
    node.output(SECOND)
    rectified = np.frombuffer(node.output(SECOND, "rgb/image_rect").data, np.uint8).reshape(96, 320, 3)
    assert np.abs(rectified.astype(int) - smooth).mean() < 3


def test_one_remapping_moves_image_and_camera_info(harness, depth_checkpoint):
    for arguments, transport, image, info in (
        (["-r", "image:=/front/image_raw"], "raw", "/front/image_raw", "/front/camera_info"),
        (["-r", "image:=/front/image_raw"], "compressed", "/front/image_raw/compressed", "/front/camera_info"),
        (["-r", "image:=/a/b", "-r", "camera_info:=/c"], "raw", "/a/b", "/c"),
        (["-r", "image/compressed:=/x/jpeg"], "compressed", "/x/jpeg", "/camera_info"),
        ([], "raw", "/image", "/camera_info"),
        (["-r", "__ns:=/robot"], "raw", "/robot/image", "/robot/camera_info"),
    ):
        node = harness(depth_checkpoint, arguments, start=False, image_transport=transport)
        assert node.node.trigger_configure().name == "SUCCESS" and node.node.trigger_activate().name == "SUCCESS"
        intake = node.stream.intake
        assert (intake.image_topic, intake.info_topic) == (image, info), arguments


def test_nothing_is_computed_without_a_subscriber(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("/diagnostics",))
    node.send_info()
    engine = node.engine
    loaded = []
    original = engine.load_image
    engine.load_image = lambda rgb: loaded.append(1) or original(rgb)
    for i in range(5):
        node.send(SECOND + i, TEXTURE)
        node.wait(lambda: node.counts()["frames_received"] == i + 1)
    node.settle()
    assert not loaded and node.counts()["frames_processed"] == 0
    assert node.counts()["frames_unwanted"] + node.counts()["frames_replaced"] == 5


def test_only_subscribed_outputs_are_computed(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/image",))
    node.send_info()
    node.exchange(SECOND, TEXTURE)
    demand = node.stream.outputs.demand(odometry=False)
    assert demand.depth and not (demand.cloud or demand.color or demand.rectified or demand.statistics)


def test_status_has_statistics_scale_counts_and_latencies(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    for i in range(4):
        node.exchange(SECOND + i * SECOND // 10, TEXTURE, topic="depth/status")
    status = node.output(SECOND + 3 * SECOND // 10, "depth/status")
    assert (status.engine, status.device, status.checkpoint) == (node.engine.name, "cpu", str(depth_checkpoint))
    assert (status.scale, status.scale_source) == (2.0, status.SCALE_CHECKPOINT)
    assert status.frames_received == 4 and status.frames_processed in (3, 4)
    assert status.odometry_state == status.ODOMETRY_DISABLED
    depth = values(node.output(SECOND + 3 * SECOND // 10))[::4, ::4]
    finite = depth[np.isfinite(depth)]
    assert status.median_depth == pytest.approx(np.median(finite), rel=1e-5)
    assert status.valid_ratio == pytest.approx(finite.size / depth.size)
    assert status.latency_inference_ms > 0 and status.latency_total_ms >= status.latency_inference_ms
    assert np.isnan(status.latency_transport_ms)  # stamps of 1970 are of another clock
    node.wait(
        lambda: any("rate out [Hz]" in {v.key for v in m.status[0].values} for m in node.received["/diagnostics"])
    )


def test_the_uncalibrated_camera_gets_depth_but_no_cloud(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info(_info(320, 96, k=[0.0] * 9, p=[0.0] * 12))
    depth = values(node.exchange(SECOND, TEXTURE))
    np.testing.assert_allclose(depth, values(node.exchange(2 * SECOND, TEXTURE)))
    assert list(node.output(SECOND, "depth/camera_info").k) == [0.0] * 9
    node.settle()
    assert not node.received["depth/points"]
    node.diagnosis("no cloud", "not calibrated")
    node.diagnosis("K[0] is 0", "60 degrees", "not metres", "calibration_file", "monodepth calibrate")
    assert node.output(SECOND, "depth/status").scale_source == DepthStatus.SCALE_RELATIVE, "no metres from a guess"
    assert not node.received["/tf"]


def test_the_field_of_view_of_an_uncalibrated_camera_can_be_stated(harness, depth_checkpoint):
    node = harness(depth_checkpoint, image__field_of_view=81.5)
    node.send_info(_info(0, 0, k=[0.0] * 9, p=[0.0] * 12))  # as drivers without a calibration publish it
    stated = values(node.exchange(SECOND, TEXTURE))
    node.send_info()
    calibrated = values(node.exchange(2 * SECOND, TEXTURE))
    # The field of view of the training camera: depth is that of the calibrated camera, without its factor of 2.
    known = np.isfinite(stated) & np.isfinite(calibrated)
    assert known.mean() > 0.5
    np.testing.assert_allclose(2 * stated[known], calibrated[known], rtol=1e-3)


def test_without_camera_info_depth_begins_after_the_timeout_with_a_warning(harness, depth_checkpoint):
    node = harness(depth_checkpoint, camera_info_timeout=0.3)
    node.send(SECOND, TEXTURE)
    node.wait(lambda: node.counts()["frames_uncalibrated"] == 1)
    node.settle(0.4)
    node.exchange(2 * SECOND, TEXTURE)
    node.wait(
        lambda: any("no camera_info on /camera_info" in m.status[0].message for m in node.received["/diagnostics"])
    )


def test_a_calibration_file_replaces_camera_info(harness, depth_checkpoint, tmp_path):
    path = tmp_path / "camera.yaml"
    write_calibration(path, CameraModel.from_normalized(320, 96, (0.58, 1.92, 0.5, 0.5)), "test")
    node = harness(depth_checkpoint, calibration_file=str(path))
    node.exchange(SECOND, TEXTURE, topic="depth/points")
    assert node.output(SECOND, "depth/camera_info").k[0] == pytest.approx(0.58 * 320)


def test_a_calibration_file_without_size_takes_that_of_the_first_image(harness, depth_checkpoint, tmp_path):
    path = tmp_path / "intrinsics.yaml"
    path.write_text("camera_matrix: [[185.6, 0, 159.5], [0, 184.32, 47.5], [0, 0, 1]]\ndist_coeffs: [0, 0, 0, 0]\n")
    node = harness(depth_checkpoint, calibration_file=str(path))
    node.exchange(SECOND, TEXTURE, topic="depth/points")
    info = node.output(SECOND, "depth/camera_info")
    assert info.k[0] == pytest.approx(185.6) and (info.width, info.height) == (320, 96)


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_compressed_depth_decodes_to_the_same_millimetres(harness, depth_checkpoint, encoding):
    node = harness(
        depth_checkpoint, depth__encoding=encoding, depth__compressed=True, depth__compressed_quantization=250.0
    )
    found = []
    node.client.create_subscription(CompressedImage, "depth/image/compressedDepth", found.append, 5)
    node.wait(lambda: node.subscribers("depth/image/compressedDepth") > 0)
    node.send_info()
    depth = values(node.exchange(SECOND, TEXTURE), np.uint16 if encoding == "16UC1" else np.float32)
    node.wait(lambda: found)
    message = found[0]
    assert message.header == node.output(SECOND).header
    assert message.format == f"{encoding}; compressedDepth png"
    kind, a, b = struct.unpack_from("<iff", message.data)
    png = cv2.imdecode(np.frombuffer(message.data, np.uint8, offset=12), cv2.IMREAD_UNCHANGED)
    assert kind == 0 and png.dtype == np.uint16
    if encoding == "16UC1":
        np.testing.assert_array_equal(png, depth)
        return
    near = (depth > 1.0) & (depth < 5.0)
    error = 1000 * np.abs(a / (png[near].astype(np.float64) - b) - depth[near])
    assert near.mean() > 0.05 and error.max() < 0.5, f"{error.max():.2f} mm over {near.mean():.0%} of the pixels"
    assert (png[~np.isfinite(depth)] == 0).all()


def test_compressed_depth_alone_is_computed_and_its_topic_is_optional(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=(), depth__compressed=True)
    found = []
    node.client.create_subscription(CompressedImage, "depth/image/compressedDepth", found.append, 5)
    node.wait(lambda: node.subscribers("depth/image/compressedDepth") > 0)
    node.send_info()
    node.send(SECOND, TEXTURE)
    node.wait(lambda: found)
    assert node.counts()["frames_processed"] == 1
    plain = harness(depth_checkpoint, listen=())
    assert not [p.topic_name for p in plain.node.publishers if "compressed" in p.topic_name]
