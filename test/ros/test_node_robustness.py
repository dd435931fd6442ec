# SPDX-License-Identifier: Apache-2.0
"""Faults of cameras, drivers and clients, over DDS: the node reports them and goes on."""

import cv2
import numpy as np
import pytest
from node_log import log_lines
from sensor_msgs.msg import CameraInfo, CompressedImage

from monodepth_ros.odometry.checks.image_check import ImageChange, ImageCheck
from monodepth_ros.ros.interop import encode_image

SECOND = 1_000_000_000
TENTH = SECOND // 10
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def info(width=320, height=96, fx=0.58, fy=1.92, **changes):
    """CameraInfo of a camera with normalised focal lengths, by default those of the training camera."""
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [fx * width, 0.0, width / 2 - 0.5, 0.0, fy * height, height / 2 - 0.5, 0.0, 0.0, 1.0]
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def texture(width, height):
    return np.random.default_rng(width + height).integers(0, 255, (height, width, 3), np.uint8)


def depth_values(message):
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def works(node, array=TEXTURE, encoding="rgb8", topic="depth/image"):
    """Send a frame that must be processed; its output."""
    return node.exchange(node.next_stamp(), array, encoding, topic)


def send_raw(node, **fields):
    """Publish an image message with some fields changed."""
    message = encode_image(TEXTURE, "rgb8", node.header(node.next_stamp()))
    for name, value in fields.items():
        setattr(message, name, value)
    node.images.publish(message)


def test_stamps_may_repeat_go_back_be_zero_or_lie_before_1970(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    node.exchange(50 * SECOND, TEXTURE)
    for _ in range(3):
        node.expect_dropped(lambda: node.send(50 * SECOND, TEXTURE), "frames_duplicate")
    for stamp_ns in (49 * SECOND, 50 * SECOND + 1, 1, -5 * SECOND, 51 * SECOND):
        node.exchange(stamp_ns, TEXTURE)
    for _ in range(3):
        processed = node.settled_counts()["frames_processed"]
        node.send(0, TEXTURE)
        node.wait(lambda: node.counts()["frames_processed"] == processed + 1)
    assert node.counts()["frames_duplicate"] == 3
    node.wait(lambda: len(node.received["depth/image"]) == 9)


def test_a_stamp_that_never_changes_is_an_error_until_it_does(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    node.exchange(50 * SECOND, TEXTURE)
    for count in range(1, 7):
        node.expect_dropped(lambda: node.send(50 * SECOND, TEXTURE), "frames_duplicate")
        said = [text for text in node.health().messages if "in a row on /image repeat the stamp 50.000 s" in text]
        assert len(said) == (count >= 5), (count, said)
    node.exchange(51 * SECOND, TEXTURE)
    node.expect_dropped(lambda: node.send(51 * SECOND, TEXTURE), "frames_duplicate")
    assert node.stream.intake._repeated == 1


def encoded(rgb):
    """A picture in several encodings of cameras."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    yield "rgb8", rgb
    yield "bgr8", np.ascontiguousarray(rgb[..., ::-1])
    yield "mono8", grey
    yield "rgba8", np.dstack((rgb, grey))
    yield "mono16", grey.astype(np.uint16) * 257
    yield "bgra8", np.dstack((rgb[..., ::-1], grey))
    yield "bayer_grbg8", grey
    yield "yuv422", np.dstack((np.full_like(grey, 128), grey))
    yield "bgr8", np.ascontiguousarray(rgb[..., ::-1])


def test_the_encoding_changes_with_every_frame_and_the_outputs_never(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    depths = {}
    for encoding, array in encoded(TEXTURE):
        depths[encoding] = depth_values(works(node, array, encoding))
        node.output(node.stamp_ns, "rgb/image_rect")
        node.output(node.stamp_ns, "depth/color")
    for topic, expected in (("depth/image", "32FC1"), ("rgb/image_rect", "rgb8"), ("depth/color", "bgr8")):
        assert {message.encoding for message in node.received[topic]} == {expected}
    for encoding in ("bgr8", "rgba8", "bgra8"):
        np.testing.assert_array_equal(depths[encoding], depths["rgb8"], err_msg=encoding)
    np.testing.assert_array_equal(depths["mono16"], depths["mono8"])
    assert node.settled_counts()["frames_processed"] == 9


def test_bad_images_are_dropped_counted_and_logged_once(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint)
    node.send_info()
    works(node)
    for _ in range(5):
        node.expect_dropped(lambda: send_raw(node, encoding="rgb12"))
    works(node)
    lines = log_lines(capfd, "[ERROR]")
    assert len(lines) == 1 and "unknown image encoding 'rgb12'" in lines[0] and "bgr8" in lines[0], lines
    node.diagnosis("rgb12")
    row = 3 * 320
    for fields in (
        dict(encoding=""),
        dict(encoding="8SC3"),
        dict(encoding="32FC1"),
        dict(step=row - 1),
        dict(step=1),
        dict(step=row + 1),  # and so too little data
        dict(data=b""),
        dict(data=TEXTURE.tobytes()[:-1]),
        dict(height=97),
        dict(height=0),
        dict(width=0, step=0),
        dict(width=0, height=0, step=0, data=b""),
        dict(width=2**32 - 1, height=2**32 - 1, step=2**32 - 1),
        dict(width=2**31, height=1, step=2**32 - 1),
        dict(encoding="yuv422", width=319, step=640),
        dict(encoding="bayer_rggb8", width=1, height=1),
    ):
        node.expect_dropped(lambda fields=fields: send_raw(node, **fields))
        message = node.stream.problems.current()[0].message
        assert "image" in message and "\n" not in message, message
        works(node)
    assert node.counts()["frames_failed"] == 0


def test_rows_with_padding_are_read(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    plain = depth_values(works(node))
    padded = np.full((96, 3 * 320 + 7), 255, np.uint8)
    padded[:, : 3 * 320] = TEXTURE.reshape(96, -1)
    send_raw(node, step=padded.shape[1], data=padded.tobytes())
    np.testing.assert_array_equal(depth_values(node.output(node.stamp_ns)), plain)


def test_broken_compressed_images_are_dropped_counted_and_logged_once(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, image_transport="compressed")
    node.send_info()
    jpeg = cv2.imencode(".jpg", cv2.GaussianBlur(TEXTURE, (0, 0), 3))[1].tobytes()
    png = cv2.imencode(".png", TEXTURE)[1].tobytes()

    def send(data, format="jpeg"):
        message = CompressedImage(header=node.header(node.next_stamp()), format=format)
        message.data.frombytes(data)
        node.compressed.publish(message)

    noise = np.random.default_rng(1).bytes(5000)
    cut = (jpeg[: len(jpeg) // 2], jpeg[:2], jpeg[:-2], png[:50])
    for data in (*cut, b"", noise, jpeg[:2] + noise, b"\xff\xd8\xff\xd9", b"GIF89a"):
        node.expect_dropped(lambda data=data: send(data))
        send(jpeg, "rgb8; jpeg compressed bgr8")
        node.output(node.stamp_ns)
    hole = bytearray(jpeg)
    hole[len(hole) // 3 : len(hole) // 2] = b"\x00" * (len(hole) // 2 - len(hole) // 3)
    before = node.settled_counts()
    send(bytes(hole))  # readable or not, it ends nothing
    node.wait(lambda: sum(node.counts()[c] - before[c] for c in ("frames_processed", "frames_invalid")) == 1)
    send(jpeg, "")
    node.output(node.stamp_ns)
    assert node.counts()["frames_failed"] == 0
    lines = log_lines(capfd, "[ERROR]")
    assert len(lines) == 1 and "truncated JPEG" in lines[0], lines


@pytest.mark.parametrize("resolution", ["network", "image"])
def test_images_of_every_size_and_content_are_processed(harness, pose_checkpoint, resolution):
    outputs = ["depth/image", "depth/status", "rgb/image_rect", "odom"]
    if resolution == "network":  # a cloud of every pixel of a 4K image is 130 MB
        outputs.append("depth/points")
    node = harness(
        pose_checkpoint,
        listen=outputs,
        depth__resolution=resolution,
        image__reliability="reliable",
        scale__source="fixed",
        odometry__max_turn_rate=100.0,
        odometry__max_speed=1000.0,
    )
    for width, height in ((1, 1), (2, 1), (1, 300), (300, 1), (33, 17), (320, 96), (3840, 2160)):
        for fx in (0.58, 0.0):  # calibrated and not
            calibration = info(width, height, fx=fx)
            node.send_info(calibration)
            message = works(node, texture(width, height))
            size = (width, height) if resolution == "image" else (message.width, 96)
            assert (message.width, message.height) == size and message.width % 32 in (0, width % 32), (width, fx)
            node.output(node.stamp_ns, "depth/status")
            rectified = node.output(node.stamp_ns, "rgb/image_rect")
            assert (rectified.width, rectified.height) == size, (width, height, fx)
    node.send_info()
    for array in (np.zeros((96, 320, 3), np.uint8), np.full((96, 320, 3), 255, np.uint8), TEXTURE, TEXTURE, TEXTURE):
        values = depth_values(works(node, array))
        assert not np.isnan(values).any()
        odometry = node.output(node.stamp_ns, "odom")
        assert np.isfinite(odometry.pose.covariance).all() and np.isfinite(odometry.pose.pose.position.x)
    counts = node.settled_counts()
    assert (counts["frames_failed"], counts["frames_invalid"]) == (0, 0), counts


def test_images_without_a_frame_id_give_depth_but_no_odometry(harness, pose_checkpoint):
    node = harness(pose_checkpoint)
    node.send_info()
    for i in range(3):
        node.exchange(SECOND + i * TENTH, TEXTURE, frame="")
        assert node.output(SECOND + i * TENTH, "depth/points").header.frame_id == ""
    node.diagnosis("odometry", "frame_id")
    assert not node.received["odom"] and not node.received["/tf"] and not node.received["path"]
    node.exchange(SECOND + 3 * TENTH, TEXTURE, topic="odom")


@pytest.mark.parametrize("part", ["load_image", "disparity"])
def test_an_exception_in_the_engine_loses_one_frame(harness, pose_checkpoint, capfd, monkeypatch, part):
    # The images are all the same, and the pose network is to be asked all the same.
    monkeypatch.setattr(ImageCheck, "update", lambda self, gray: ImageChange())
    node = harness(pose_checkpoint)
    node.send_info()
    works(node)
    engine = node.engine
    working = getattr(engine, part)

    def break_down(*arguments):
        raise RuntimeError("CUDA out of memory,\nor so")

    setattr(engine, part, break_down)
    for _ in range(3):
        node.expect_dropped(lambda: node.send(node.next_stamp(), TEXTURE), "frames_failed")
    setattr(engine, part, working)
    works(node, topic="depth/points")
    lines = log_lines(capfd, "[ERROR]")
    assert len(lines) == 1 and "RuntimeError: CUDA out of memory, or so" in lines[0], lines
    node.diagnosis("CUDA out of memory")
