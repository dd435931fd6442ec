# SPDX-License-Identifier: Apache-2.0
"""Several cameras on one node, over DDS, each with its own topics, settings, calibration and failures."""

import threading

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS
from monodepth_ros.ros.interop import encode_image
from monodepth_ros.ros.transforms import TF_STATIC_QOS

SECOND = 1_000_000_000
TICK = SECOND // 20
RELIABLE = 20
CAMERA_TOPICS = ("depth/image", "depth/camera_info", "depth/points", "depth/status", "rgb/image_rect")
NODE_TOPICS = ("odom", "path", "/tf", "/diagnostics")
NAMES = ["front", "left", "right"]


class Camera:
    """A synthetic camera of a harness's client, and the node's outputs for it."""

    def __init__(self, node, name, size=(320, 96), distortion_model="plumb_bob", distortion=(0.0,) * 5, every=1):
        self.node, self.name, self.size, self.every = node, name, size, every
        self.frame = f"{name}_optical"
        width, height = size
        self.model = CameraModel(
            width,
            height,
            K=np.array([[0.58 * width, 0, width / 2 - 0.5], [0, 1.92 * height, height / 2 - 0.5], [0, 0, 1]]),
            D=np.array(distortion, dtype=float),
            distortion_model=distortion_model,
        )
        self.received = {topic: [] for topic in CAMERA_TOPICS}
        for topic, messages in self.received.items():
            node.client.create_subscription(OUTPUTS[topic], f"{name}/{topic}", messages.append, RELIABLE)
        self.sent = []
        self.connect()

    @property
    def stream(self):
        return next(stream for stream in self.node.node.streams if stream.name == self.name)

    def connect(self):
        """Make the publishers of images and calibration."""
        client = self.node.client
        self.images = client.create_publisher(Image, f"{self.name}/image", RELIABLE)
        self.infos = client.create_publisher(CameraInfo, f"{self.name}/camera_info", RELIABLE)

    def die(self):
        for publisher in (self.images, self.infos):
            self.node.client.destroy_publisher(publisher)
        self.node.wait(lambda: self.node.node.count_publishers(f"/{self.name}/image") == 0)

    def wait_connected(self):
        """Wait until the node's topics of this camera are connected with the client's."""
        self.node.wait(lambda: self.images.get_subscription_count() and self.infos.get_subscription_count())
        for topic in ("depth/image", "depth/points", "depth/status"):
            self.node.wait(lambda topic=topic: self.node.subscribers(f"{self.name}/{topic}"))

    def calibrate(self):
        """Publish the calibration until the node has it."""
        message = CameraInfo(width=self.size[0], height=self.size[1], distortion_model=self.model.distortion_model)
        message.k, message.d = self.model.K.reshape(-1), self.model.D.tolist()
        message.r = np.eye(3).reshape(-1)
        message.p = np.hstack((self.model.K, np.zeros((3, 1)))).reshape(-1)

        def arrived():
            self.infos.publish(message)
            self.node.settle(0.02)
            return self.stream.intake.camera_info == message

        self.node.wait(arrived, message=f"{self.name}: camera_info did not arrive")

    def send(self, stamp_ns, image=None):
        width, height = self.size
        if image is None:
            image = np.random.default_rng(stamp_ns % 1000 + width).integers(0, 255, (height, width, 3), np.uint8)
        self.images.publish(encode_image(image, "rgb8", self.node.header(stamp_ns, self.frame)))
        self.sent.append(stamp_ns)

    def stamps(self, topic):
        return [m.header.stamp.sec * SECOND + m.header.stamp.nanosec for m in self.received[topic]]

    def output(self, stamp_ns, topic="depth/image"):
        self.node.wait(lambda: stamp_ns in self.stamps(topic), message=f"no {self.name}/{topic} of {stamp_ns}")
        return self.received[topic][self.stamps(topic).index(stamp_ns)]

    def exchange(self, stamp_ns, topic="depth/status"):
        self.send(stamp_ns)
        return self.output(stamp_ns, topic)

    def counts(self):
        return self.stream.counters.counts()


@pytest.fixture
def rig(harness):
    """A function that makes a node with several cameras, and the cameras."""

    def make(checkpoint, *arguments, cameras=NAMES, connect=True, kinds=None, **parameters):
        node = harness(checkpoint, *arguments, start=False, listen=NODE_TOPICS, cameras=cameras, **parameters)
        made = [Camera(node, name, **(kinds or {}).get(name, {})) for name in cameras]
        assert node.node.trigger_configure().name == "SUCCESS"
        assert node.node.trigger_activate().name == "SUCCESS"
        for camera in made if connect else ():
            camera.wait_connected()
            camera.calibrate()
        return node, *made

    return make


# Very different cameras: at 20, 10 and 6.7 Hz.
KINDS = {
    "front": dict(size=(640, 192), distortion=(-0.2, 0.05, 0.001, -0.001, 0.0)),
    "left": dict(size=(300, 220), distortion_model="equidistant", distortion=(0.02, 0.01, 0.0, 0.0), every=2),
    "right": dict(
        size=(1000, 310),
        distortion_model="rational_polynomial",
        distortion=(0.1, 0.02, 0, 0, 0, 0.1, 0, 0),
        every=3,
    ),
}


def drive(cameras, first, count):
    """Let every camera send at its own rate; wait in each tick until every frame has been processed."""
    for tick in range(first, first + count):
        sending = [camera for camera in cameras if tick % camera.every == 0]
        for camera in sending:
            camera.send(SECOND + tick * TICK)
        for camera in sending:
            camera.output(SECOND + tick * TICK, "depth/status")


def test_three_cameras_of_which_one_dies_and_returns(rig, pose_checkpoint):
    node, front, left, right = rig(
        pose_checkpoint,
        kinds=KINDS,
        depth__resolution="image",
        odometry__camera="left",
        odometry__max_gap=0.5,
        odometry__max_turn_rate=100.0,
        odometry__max_speed=1000.0,
    )
    drive((front, left, right), 0, 18)
    left.die()
    drive((front, right), 18, 12)
    left.connect()
    left.wait_connected()
    left.calibrate()
    drive((front, left, right), 30, 12)

    assert [len(camera.sent) for camera in (front, left, right)] == [42, 15, 14]
    for camera in (front, left, right):
        assert camera.stamps("depth/status") == camera.sent, f"{camera.name} did not keep its rate"
        counts = camera.counts()
        assert counts["frames_received"] == counts["frames_processed"] == len(camera.sent), (
            camera.name,
            counts,
        )
        for topic in CAMERA_TOPICS:
            message = camera.output(camera.sent[-1], topic)
            assert message.header.frame_id == camera.frame, (camera.name, topic)
            if topic != "depth/status":
                assert (message.width, message.height) == camera.size, (camera.name, topic)
        info = camera.output(camera.sent[-1], "depth/camera_info")
        expected = camera.model.rectified().K
        np.testing.assert_allclose(np.array(info.k).reshape(3, 3), expected, err_msg=camera.name)
        states = {message.odometry_state for message in camera.received["depth/status"]}
        assert states == ({0, 1} if camera is left else {3}), f"{camera.name}: odometry states {states}"
    node.wait(lambda: len(node.received["/tf"]) == len(left.sent) == len(node.received["odom"]))
    for message in node.received["odom"]:
        assert message.child_frame_id == "left_optical"
        assert message.header.stamp.sec * SECOND + message.header.stamp.nanosec in left.sent
    assert {message.transforms[0].child_frame_id for message in node.received["/tf"]} == {"left_optical"}
    # It was away for longer than max_gap: its trajectory begins anew.
    states = [message.odometry_state for message in left.received["depth/status"]]
    assert states == [0] + 8 * [1] + [0] + 5 * [1], states


class Hold:
    """Block the first pass of the depth network until released, and record the batch sizes."""

    def __init__(self, engine):
        self._entered, self._gate = threading.Semaphore(0), threading.Event()
        self.batches = []
        infer, infer_batch = engine.disparity, engine.disparities

        def disparity(image):
            self.batches.append(1)
            self._entered.release()
            assert self._gate.wait(20.0)
            return infer(image)

        def disparities(images):
            self.batches.append(len(images))
            engine.disparity = infer  # which an engine's own `disparities` may call
            return infer_batch(images)

        engine.disparity, engine.disparities = disparity, disparities

    def wait(self):
        assert self._entered.acquire(timeout=20.0)

    def release(self):
        self._gate.set()


def test_waiting_frames_become_one_batch_of_the_newest_frame_of_each_camera(rig, depth_checkpoint):
    node, *cameras = rig(depth_checkpoint)
    hold = Hold(node.engine)
    cameras[0].send(SECOND)
    hold.wait()
    for second in (2, 3):
        for camera in cameras:
            camera.send(second * SECOND)
            node.wait(lambda camera=camera: camera.counts()["frames_received"] == len(camera.sent))
    hold.release()
    for camera in cameras:
        camera.output(3 * SECOND, "depth/status")
        assert camera.counts()["frames_replaced"] == 1, camera.name
    assert hold.batches == [1, 3]
    assert [camera.stamps("depth/status") for camera in cameras] == [[SECOND, 3 * SECOND]] + 2 * [[3 * SECOND]]


def test_cameras_of_different_shapes_get_depth_on_their_whole_images(rig, depth_checkpoint):
    _, front, left = rig(depth_checkpoint, cameras=["front", "left"], kinds={"left": dict(size=(320, 240))})
    square_pixels = CameraModel.pinhole(320, 240, 277.0, 277.0, 159.5, 119.5)
    left.model = square_pixels
    left.calibrate()
    for camera in (front, left):
        camera.send(SECOND)
    for camera, size in ((front, (320, 96)), (left, (128, 96))):
        depth, status = camera.output(SECOND, "depth/image"), camera.output(SECOND, "depth/status")
        assert (depth.width, depth.height) == size, camera.name
        assert status.image_coverage == pytest.approx(1.0), camera.name


def test_a_failing_frame_in_a_batch_affects_its_own_camera_only(rig, depth_checkpoint):
    node, front, left, right = rig(depth_checkpoint)
    hold = Hold(node.engine)
    load_image = node.engine.load_image

    def load(rgb):
        if not rgb.any():
            raise RuntimeError("out of memory")
        return load_image(rgb)

    node.engine.load_image = load
    front.send(SECOND)
    hold.wait()
    for camera in (front, left, right):
        camera.send(2 * SECOND, np.zeros((96, 320, 3), np.uint8) if camera is left else None)
        node.wait(lambda camera=camera: camera.counts()["frames_received"] == len(camera.sent))
    hold.release()
    front.output(2 * SECOND)
    right.output(2 * SECOND)
    assert hold.batches == [1, 2]
    for camera in (front, left, right):
        assert camera.counts()["frames_failed"] == (camera is left), camera.name
        camera.exchange(3 * SECOND)


def diagnosis(node, name):
    """The newest diagnostic status with this name; None without one."""
    statuses = [status for message in node.received["/diagnostics"] for status in message.status]
    return next((status for status in reversed(statuses) if status.name == name), None)


def test_problems_of_one_camera_are_reported_for_it_and_leave_the_others_alone(rig, depth_checkpoint, capfd):
    node, front, left, right = rig(depth_checkpoint, connect=False, no_image_timeout=0.2)
    node.wait(lambda: front.images.get_subscription_count() and left.images.get_subscription_count())
    left.calibrate()
    front.die()  # never heard of again
    right.wait_connected()
    node.wait(lambda: node.subscribers("left/depth/status"))
    for i in range(1, 6):
        right.send(i * TICK)  # no calibration yet: dropped
        broken = encode_image(np.zeros((96, 320, 3), np.uint8), "rgb8", node.header(i * TICK + 1, left.frame))
        broken.encoding = "unheard_of"
        left.images.publish(broken)
        node.wait(lambda: left.counts()["frames_invalid"] == i and right.counts()["frames_uncalibrated"] == i)
        left.exchange(i * TICK + 2)
    assert left.counts()["frames_processed"] == 5
    right.calibrate()
    right.exchange(SECOND)
    node.wait(lambda: "no publisher" in getattr(diagnosis(node, "depth_node: camera front"), "message", ""))
    node.wait(lambda: "unheard_of" in getattr(diagnosis(node, "depth_node: camera left"), "message", ""))
    names = [status.name for status in node.received["/diagnostics"][-1].status]
    assert names == [f"depth_node: camera {name}" for name in NAMES] + ["depth_node: networks"]
    assert "front/image:=" in diagnosis(node, "depth_node: camera front").message
    assert diagnosis(node, "depth_node: networks").message == "OK"
    assert "unheard_of" not in diagnosis(node, "depth_node: camera right").message
    lines = [line for line in capfd.readouterr().err.splitlines() if "[ERROR]" in line]
    assert len(lines) == 1 and "[depth_node.left]" in lines[0] and "unheard_of" in lines[0], lines


def test_a_missing_transform_of_one_camera_delays_no_depth(rig, pose_checkpoint):
    """The look-up of the odometry's camera waits ten seconds; a frame that waited with it would fail the test."""
    node, front, left, right = rig(
        pose_checkpoint,
        base_frame="base_link",
        tf_timeout=10.0,
        odometry__max_turn_rate=100.0,
        odometry__max_speed=1e3,
    )
    static = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    for i in range(1, 6):
        for camera in (front, left, right):
            camera.exchange(i * 2 * TICK)
    assert not node.received["odom"]
    mounted = TransformStamped(child_frame_id="front_optical")
    mounted.header.frame_id, mounted.transform.rotation.w = "base_link", 1.0
    static.publish(TFMessage(transforms=[mounted]))
    node.wait(lambda: node.received["odom"] and node.received["odom"][-1].header.stamp.nanosec == 10 * TICK)
    assert {message.child_frame_id for message in node.received["odom"]} == {"base_link"}
    # The first that waited, and the newest after it.
    assert len(node.received["odom"]) == 2


def test_transport_calibration_topic_and_reliability_are_per_camera(rig, depth_checkpoint, tmp_path):
    model = CameraModel.from_normalized(320, 96, (0.59, 1.95, 0.5, 0.5))
    write_calibration(tmp_path / "left.yaml", model, "left")
    node, front, left, right = rig(
        depth_checkpoint,
        ["-r", "right/image:=/other/image_raw"],
        connect=False,
        front__image_transport="compressed",
        left__calibration_file=str(tmp_path / "left.yaml"),
        right__image__reliability="reliable",
    )
    topics = [(intake.image_topic, intake.info_topic) for intake in (c.stream.intake for c in (front, left, right))]
    assert topics == [
        ("/front/image/compressed", "/front/camera_info"),
        ("/left/image", "/left/camera_info"),
        ("/other/image_raw", "/other/camera_info"),
    ]
    offered = node.node.get_subscriptions_info_by_topic("/other/image_raw")[0].qos_profile.reliability
    others = node.node.get_subscriptions_info_by_topic("/left/image")[0].qos_profile.reliability
    assert (offered.name, others.name) == ("RELIABLE", "BEST_EFFORT")
    compressed = node.client.create_publisher(CompressedImage, "front/image/compressed", RELIABLE)
    node.wait(front.infos.get_subscription_count)
    front.size = (320, 96)
    front.calibrate()
    for camera, publisher in ((front, compressed), (left, left.images)):
        node.wait(lambda publisher=publisher: publisher.get_subscription_count())
        node.wait(lambda camera=camera: node.subscribers(f"{camera.name}/depth/status"))
        node.wait(lambda camera=camera: node.subscribers(f"{camera.name}/depth/camera_info"))
    message = CompressedImage(header=node.header(SECOND, "front_optical"), format="jpeg")
    message.data.frombytes(cv2.imencode(".jpg", np.zeros((96, 320, 3), np.uint8))[1].tobytes())
    compressed.publish(message)
    front.output(SECOND, "depth/status")
    left.exchange(SECOND)
    assert left.output(SECOND, "depth/camera_info").k[0] == pytest.approx(0.59 * 320)


def test_services_hold_for_every_camera(rig, pose_checkpoint):
    node, *cameras = rig(pose_checkpoint)
    for camera in cameras:
        camera.exchange(SECOND)
    assert node.call(SetBool, "enable", SetBool.Request(data=False)).success
    for camera in cameras:
        camera.send(2 * SECOND)
        node.wait(lambda camera=camera: camera.counts()["frames_unwanted"] == 1)
    assert node.call(SetBool, "enable", SetBool.Request(data=True)).success
    assert node.call(Trigger, "reset_odometry", Trigger.Request()).success
    for camera in cameras:
        status = camera.exchange(SECOND + 2 * TICK)
        assert (status.frames_processed, status.odometry_state) == (2, 0 if camera is cameras[0] else 3), camera.name
