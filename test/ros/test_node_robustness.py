# SPDX-License-Identifier: Apache-2.0
"""Faults of cameras, drivers and clients, over DDS: the node reports them and goes on."""

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from monodepth_ros.odometry.image_check import ImageChange, ImageCheck
from monodepth_ros.ros.interop import encode_image

SECOND = 1_000_000_000
TENTH = SECOND // 10
TEXTURE = np.random.default_rng(5).integers(0, 255, (96, 320, 3), np.uint8)


def on_executor(executor, node, function):
    """Run a function on the thread that spins, like a callback; its result."""
    task = executor.create_task(function)
    node.wait(task.done)
    return task.result()


def start(node):
    """Configure and activate without waiting for the harness's own publishers."""
    steps = on_executor(
        node.executors[0][0], node, lambda: [node.node.trigger_configure().name, node.node.trigger_activate().name]
    )
    assert steps == ["SUCCESS", "SUCCESS"]


def diagnosis(node, *words):
    """Wait for a diagnostic message with all these words and return it."""

    def match():
        messages = [m.status[0].message for m in node.received["/diagnostics"]]
        return [text for text in messages if all(word in text for word in words)]

    node.wait(match, message=f"no diagnostic with {words}")
    return match()[0]


def log_lines(capfd, *words):
    """The node's log lines with all these words."""
    lines = capfd.readouterr().err.splitlines()
    return [line for line in lines if "[depth_node]" in line and all(word in line for word in words)]


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


class Stream:
    """Send frames with growing stamps and check the node's counters."""

    def __init__(self, node):
        self.node = node
        self.stamp_ns = 100 * SECOND

    def next(self):
        self.stamp_ns += TENTH
        return self.stamp_ns

    def works(self, array=TEXTURE, encoding="rgb8", topic="depth/image"):
        """Send a frame that must be processed; its output."""
        return self.node.exchange(self.next(), array, encoding, topic)

    def settled_counts(self):
        """Wait until every received frame is counted (outputs arrive a moment earlier); the counters."""

        def settled():
            counts = self.node.counts()
            return counts["frames_received"] == sum(counts.values()) - counts["frames_received"]

        self.node.wait(settled, message="frames unaccounted for")
        return self.node.counts()

    def is_dropped(self, send, cause="frames_invalid"):
        """Send a frame that must be dropped and counted under `cause`."""
        before = self.settled_counts()
        send()
        self.node.wait(lambda: self.node.counts()[cause] == before[cause] + 1, message=f"not counted as {cause}")
        assert self.node.counts()["frames_processed"] == before["frames_processed"]

    def raw(self, **fields):
        """Publish an image message with some fields changed."""
        message = encode_image(TEXTURE, "rgb8", self.node.header(self.next()))
        for name, value in fields.items():
            setattr(message, name, value)
        self.node.images.publish(message)


def test_a_missing_publisher_is_reported_with_topic_and_remedy_even_without_a_clock(harness, depth_checkpoint, capfd):
    node = harness(
        depth_checkpoint, ["-r", "image:=/nobody/camera"], start=False, no_image_timeout=0.1, use_sim_time=True
    )
    start(node)
    text = diagnosis(node, "no image for", "no publisher on /nobody/camera")
    assert "image:=" in text and node.received["/diagnostics"][-1].status[0].level == b"\x01", text
    assert len(log_lines(capfd, "[WARN]", "no publisher on /nobody/camera", "image:=")) == 1


def test_a_silent_publisher_is_distinguished_from_a_missing_one(harness, depth_checkpoint):
    node = harness(depth_checkpoint, no_image_timeout=0.1)
    assert "image.reliability" in diagnosis(node, "1 publisher(s) on /image")
    node.send_info()
    Stream(node).works()


def test_a_new_publisher_can_replace_a_dead_one(harness, depth_checkpoint):
    node = harness(depth_checkpoint, ["-r", "image:=/other/image"], start=False)
    start(node)
    node.infos = node.client.create_publisher(CameraInfo, "/other/camera_info", 1)
    node.send_info()
    for life in range(3):
        context = rclpy.Context()
        rclpy.init(context=context)
        camera = rclpy.create_node("camera", context=context)
        publisher = camera.create_publisher(Image, "/other/image", QoSProfile(depth=1))
        node.wait(lambda: publisher.get_subscription_count() == 1 and node.node.count_publishers("/other/image") == 1)
        for i in range(1, 4):  # each begins at the same stamps, like a bag that is played again
            publisher.publish(encode_image(TEXTURE, "rgb8", node.header(i * TENTH + life)))
            node.output(i * TENTH + life)
        camera.destroy_node()
        context.try_shutdown()
        node.wait(lambda: node.node.count_publishers("/other/image") == 0)
    assert Stream(node).settled_counts()["frames_processed"] == 9


def test_stamps_may_repeat_go_back_be_zero_or_lie_before_1970(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    stream = Stream(node)
    node.exchange(50 * SECOND, TEXTURE)
    for _ in range(3):
        stream.is_dropped(lambda: node.send(50 * SECOND, TEXTURE), "frames_duplicate")
    for stamp_ns in (49 * SECOND, 50 * SECOND + 1, 1, -5 * SECOND, 51 * SECOND):
        node.exchange(stamp_ns, TEXTURE)
    for _ in range(3):
        processed = stream.settled_counts()["frames_processed"]
        node.send(0, TEXTURE)
        node.wait(lambda: node.counts()["frames_processed"] == processed + 1)
    assert node.counts()["frames_duplicate"] == 3
    node.wait(lambda: len(node.received["depth/image"]) == 9)


def test_the_resolution_changes_before_and_after_its_camera_info(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint)
    node.send_info()
    stream = Stream(node)
    stream.works()
    for width, height in ((640, 192), (160, 48), (322, 95)):
        for _ in range(3):  # the image first
            stream.is_dropped(lambda: node.send(stream.next(), texture(width, height)))
        node.send_info(info(width, height))
        message = stream.works(texture(width, height))
        assert (message.width, message.height) == (320, 96)
        k = node.output(stream.stamp_ns, "depth/camera_info").k
        assert k[0] == pytest.approx(0.58 * 320) and k[4] == pytest.approx(1.92 * 96), k
    text = diagnosis(node, "322x95", "160x48", "/camera_info")
    assert node.received["/diagnostics"][-1].status[0].level == b"\x02", text
    node.send_info()  # the camera_info first
    stream.is_dropped(lambda: node.send(stream.next(), texture(322, 95)))
    stream.works()
    assert len(log_lines(capfd, "[ERROR]", "320x96", "640x192")) == 1


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
    stream = Stream(node)
    depths = {}
    for encoding, array in encoded(TEXTURE):
        depths[encoding] = depth_values(stream.works(array, encoding))
        node.output(stream.stamp_ns, "rgb/image_rect")
        node.output(stream.stamp_ns, "depth/color")
    for topic, expected in (("depth/image", "32FC1"), ("rgb/image_rect", "rgb8"), ("depth/color", "bgr8")):
        assert {message.encoding for message in node.received[topic]} == {expected}
    for encoding in ("bgr8", "rgba8", "bgra8"):
        np.testing.assert_array_equal(depths[encoding], depths["rgb8"], err_msg=encoding)
    np.testing.assert_array_equal(depths["mono16"], depths["mono8"])
    assert stream.settled_counts()["frames_processed"] == 9


def test_a_new_calibration_shows_in_the_next_frame(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    stream = Stream(node)

    def seen(calibration):
        node.send_info(calibration)
        stream.works()
        rectified = node.output(stream.stamp_ns, "rgb/image_rect")
        return node.output(stream.stamp_ns, "depth/camera_info").k, np.frombuffer(rectified.data, np.uint8)

    k, plain = seen(info())
    np.testing.assert_array_equal(plain, TEXTURE.reshape(-1))
    k_longer, same = seen(info(fx=0.59, fy=1.95))  # within tolerance: the picture stays, the rays change
    assert k_longer[0] == pytest.approx(k[0] * 0.59 / 0.58) and k_longer[4] == pytest.approx(k[4] * 1.95 / 1.92)
    np.testing.assert_array_equal(same, plain)
    _, rectified = seen(info(d=[-0.3, 0.1, 0.0, 0.0, 0.0]))
    assert np.abs(rectified.astype(int) - plain).mean() > 10
    k_again, again = seen(info())
    np.testing.assert_array_equal(again, plain)
    assert list(k_again) == list(k)
    node.output(stream.stamp_ns, "depth/points")  # the last of its kind
    clouds = len(node.received["depth/points"])
    k_none, _ = seen(info(k=[0.0] * 9))  # not calibrated any more: depth goes on, the cloud does not
    assert list(k_none) == [0.0] * 9
    diagnosis(node, "no cloud", "not calibrated")
    assert len(node.received["depth/points"]) == clouds
    seen(info())
    node.output(stream.stamp_ns, "depth/points")
    for i in range(20):  # a zoom
        k_zoom, _ = seen(info(fx=0.56 + 0.002 * i))
        assert k_zoom[0] == pytest.approx((0.56 + 0.002 * i) * 320)


def test_an_invalid_calibration_drops_frames_until_a_valid_one_comes(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    stream = Stream(node)
    k = list(info().k)
    useless = [
        (info(k=[float("nan"), *k[1:]]), "camera_info"),
        (info(k=[*k[:4], float("inf"), *k[5:]]), "camera_info"),
        (info(d=[float("nan")] * 5), "camera_info"),
        (info(distortion_model="fisheye_of_my_own"), "fisheye_of_my_own"),
        (info(d=[0.1, 0.2, 0.3]), "plumb_bob"),
        (info(0, 0), "0x0"),
        (info(640, 480), "640x480"),
        (info(k=[-1.0, *k[1:]]), "fx and fy above 0"),
    ]
    for calibration, named in useless:
        for _ in range(30):  # NaN differs from itself, so the harness's comparison would wait for ever
            node.infos.publish(calibration)
            node.settle(0.02)
            if repr(node.stream.intake.camera_info) == repr(calibration):
                break
        for _ in range(2):
            stream.is_dropped(lambda: node.send(stream.next(), TEXTURE))
        message = node.stream.problems.current()[0].message
        assert named in message and "\n" not in message, f"{message!r} does not name {named}"
        node.send_info()
        stream.works()
    diagnosis(node, "camera_info")
    assert node.counts()["frames_failed"] == 0


def test_bad_images_are_dropped_counted_and_logged_once(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint)
    node.send_info()
    stream = Stream(node)
    stream.works()
    for _ in range(5):
        stream.is_dropped(lambda: stream.raw(encoding="bayer_rggb12"))
    stream.works()
    lines = log_lines(capfd, "[ERROR]")
    assert len(lines) == 1 and "unknown image encoding 'bayer_rggb12'" in lines[0] and "bgr8" in lines[0], lines
    diagnosis(node, "bayer_rggb12")
    row = 3 * 320
    for fields in (
        dict(encoding=""),
        dict(encoding="RGB8"),
        dict(encoding="32FC1"),
        dict(step=row - 1),
        dict(step=0),
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
        stream.is_dropped(lambda fields=fields: stream.raw(**fields))
        message = node.stream.problems.current()[0].message
        assert "image" in message and "\n" not in message, message
        stream.works()
    assert node.counts()["frames_failed"] == 0


def test_rows_with_padding_are_read(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    node.send_info()
    stream = Stream(node)
    plain = depth_values(stream.works())
    padded = np.full((96, 3 * 320 + 7), 255, np.uint8)
    padded[:, : 3 * 320] = TEXTURE.reshape(96, -1)
    stream.raw(step=padded.shape[1], data=padded.tobytes())
    np.testing.assert_array_equal(depth_values(node.output(stream.stamp_ns)), plain)


def test_broken_compressed_images_are_dropped_counted_and_logged_once(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, image_transport="compressed")
    node.send_info()
    stream = Stream(node)
    jpeg = cv2.imencode(".jpg", cv2.GaussianBlur(TEXTURE, (0, 0), 3))[1].tobytes()
    png = cv2.imencode(".png", TEXTURE)[1].tobytes()

    def send(data, format="jpeg"):
        message = CompressedImage(header=node.header(stream.next()), format=format)
        message.data.frombytes(data)
        node.compressed.publish(message)

    noise = np.random.default_rng(1).bytes(5000)
    cut = (jpeg[: len(jpeg) // 2], jpeg[:2], jpeg[:-2], png[:50])
    for data in (*cut, b"", noise, jpeg[:2] + noise, b"\xff\xd8\xff\xd9", b"GIF89a"):
        stream.is_dropped(lambda data=data: send(data))
        send(jpeg, "rgb8; jpeg compressed bgr8")
        node.output(stream.stamp_ns)
    hole = bytearray(jpeg)
    hole[len(hole) // 3 : len(hole) // 2] = b"\x00" * (len(hole) // 2 - len(hole) // 3)
    before = stream.settled_counts()
    send(bytes(hole))  # readable or not, it ends nothing
    node.wait(lambda: sum(node.counts()[c] - before[c] for c in ("frames_processed", "frames_invalid")) == 1)
    send(jpeg, "")
    node.output(stream.stamp_ns)
    assert node.counts()["frames_failed"] == 0
    lines = log_lines(capfd, "[ERROR]")
    assert len(lines) == 1 and "cut-off JPEG" in lines[0], lines


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
    stream = Stream(node)
    for width, height in ((1, 1), (2, 1), (1, 300), (300, 1), (33, 17), (320, 96), (3840, 2160)):
        for fx in (0.58, 0.0):  # calibrated and not
            calibration = info(width, height, fx=fx)
            node.send_info(calibration)
            message = stream.works(texture(width, height))
            size = (width, height) if resolution == "image" else (320, 96)
            assert (message.width, message.height) == size, (width, height, fx)
            node.output(stream.stamp_ns, "depth/status")
            rectified = node.output(stream.stamp_ns, "rgb/image_rect")
            assert (rectified.width, rectified.height) == size, (width, height, fx)
    node.send_info()
    for array in (np.zeros((96, 320, 3), np.uint8), np.full((96, 320, 3), 255, np.uint8), TEXTURE, TEXTURE, TEXTURE):
        values = depth_values(stream.works(array))
        assert not np.isnan(values).any()
        odometry = node.output(stream.stamp_ns, "odom")
        assert np.isfinite(odometry.pose.covariance).all() and np.isfinite(odometry.pose.pose.position.x)
    counts = stream.settled_counts()
    assert (counts["frames_failed"], counts["frames_invalid"]) == (0, 0), counts


def test_images_without_a_frame_id_give_depth_but_no_odometry(harness, pose_checkpoint):
    node = harness(pose_checkpoint)
    node.send_info()
    for i in range(3):
        node.exchange(SECOND + i * TENTH, TEXTURE, frame="")
        assert node.output(SECOND + i * TENTH, "depth/points").header.frame_id == ""
    diagnosis(node, "odometry", "frame_id")
    assert not node.received["odom"] and not node.received["/tf"] and not node.received["path"]
    node.exchange(SECOND + 3 * TENTH, TEXTURE, topic="odom")


@pytest.mark.parametrize("part", ["load_image", "disparity", "motion"])
def test_an_exception_in_the_engine_loses_one_frame(harness, pose_checkpoint, capfd, monkeypatch, part):
    # The images are all the same, and the pose network is to be asked all the same.
    monkeypatch.setattr(ImageCheck, "update", lambda self, gray: ImageChange())
    node = harness(pose_checkpoint)
    node.send_info()
    stream = Stream(node)
    stream.works()
    engine = node.engine
    working = getattr(engine, part)

    def break_down(*arguments):
        raise RuntimeError("CUDA out of memory,\nor so")

    setattr(engine, part, break_down)
    for _ in range(3):
        stream.is_dropped(lambda: node.send(stream.next(), TEXTURE), "frames_failed")
    setattr(engine, part, working)
    stream.works(topic="depth/points")
    lines = log_lines(capfd, "[ERROR]")
    assert len(lines) == 1 and "RuntimeError: CUDA out of memory, or so" in lines[0], lines
    diagnosis(node, "CUDA out of memory")


def test_a_best_effort_publisher_for_a_reliable_subscription_is_logged_with_the_remedy(
    harness, depth_checkpoint, capfd
):
    node = harness(depth_checkpoint, ["-r", "image:=/shy/image"], start=False, image__reliability="reliable")
    shy = rclpy.create_node("shy", context=node.contexts[1])
    shy.create_publisher(Image, "/shy/image", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    start(node)
    lines = []
    node.wait(lambda: lines.extend(log_lines(capfd, "incompatible QoS")) or lines, message="no word of the QoS")
    assert all(word in lines[0] for word in ("/shy/image", "reliability", "image.reliability to best_effort")), lines
    shy.destroy_node()


def test_a_transient_local_subscriber_is_logged_with_the_remedy_and_others_are_served(harness, depth_checkpoint, capfd):
    node = harness(depth_checkpoint, listen=("depth/status",))
    node.send_info()
    got = {name: [] for name in ("reliable", "best effort", "latched")}
    profiles = {
        "reliable": QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE),
        "best effort": QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
        "latched": QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    }

    def subscribe():
        for name, qos in profiles.items():
            node.client.create_subscription(Image, "depth/image", got[name].append, qos)

    on_executor(node.executors[1][0], node, subscribe)
    lines = []
    node.wait(lambda: lines.extend(log_lines(capfd, "incompatible QoS")) or lines, message="no word of the QoS")
    assert all(word in lines[0] for word in ("/depth/image", "durability", "volatile")), lines
    node.wait(lambda: node.subscribers("depth/image") == 2)
    Stream(node).works(topic="depth/status")
    node.wait(lambda: got["reliable"] and got["best effort"])
    assert not got["latched"]


def test_subscribers_come_and_go_between_frames(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/status",))
    node.send_info()
    stream = Stream(node)
    executor = node.executors[1][0]
    for _ in range(4):
        clouds = []
        subscription = on_executor(
            executor, node, lambda: node.client.create_subscription(PointCloud2, "depth/points", clouds.append, 5)
        )
        node.wait(lambda: node.subscribers("depth/points") == 1)
        for _ in range(3):
            stream.works(topic="depth/status")
        node.wait(lambda: len(clouds) == 3)
        on_executor(executor, node, lambda: node.client.destroy_subscription(subscription))
        node.wait(lambda: node.subscribers("depth/points") == 0)
        stream.works(topic="depth/status")
    counts = stream.settled_counts()
    assert (counts["frames_failed"], counts["frames_processed"]) == (0, 16), counts
