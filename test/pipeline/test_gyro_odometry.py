# SPDX-License-Identifier: Apache-2.0
"""A recording's IMU in the pipeline's odometry, with noise, bias, a clock and axes of its own."""

import cv2
import numpy as np
import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.geometry.motion import axis_angle_to_rotation, invert, make_transform
from monodepth_ros.geometry.pose_array import angles, between
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.offline.checkpoint_odometry import checkpoint_odometry
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted

SECOND = 1_000_000_000
START = 100 * SECOND
FRAMES, BLURRED = 30, range(18, 22)
RATE, NOISE, BIAS, OFFSET = 100, 0.002, np.array((0.01, -0.015, 0.02)), 0.03
GIVEN = {"imu_time_offset": OFFSET, "imu_estimate_offset": False}
R_BASE_IMU = axis_angle_to_rotation((np.pi, 0.0, 0.0)) @ axis_angle_to_rotation((0.0, 0.0, 1.2))


@pytest.fixture(scope="module")
def drive():
    return Drive(1006, FRAMES / 10, 10.0, {"camera": mounted(default_camera(416, 128))}, traffic=False)


@pytest.fixture(scope="module")
def recording(drive, tmp_path_factory):
    """Four of the images are blurred beyond any corner."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    camera, rng = drive.cameras["camera"], np.random.default_rng(0)
    with BagWriter(path) as bag:
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.add_topic("/ground_truth/odometry", "nav_msgs/msg/Odometry")
        for name in ("/imu", "/imu/nan", "/imu/unconnected", "/imu/gaps", "/imu/none"):
            bag.add_topic(name, "sensor_msgs/msg/Imu")
        places = {"optical": camera.T_base_camera, "imu": make_transform(R_BASE_IMU, (0.3, 0.1, 0.2))}
        base = messages.header(START, "base_link")
        bag.write(
            "/tf_static", START, messages.transforms([messages.transform_stamped(base, *p) for p in places.items()])
        )
        for i in range(round(FRAMES / 10 * RATE)):
            rate = (
                R_BASE_IMU.T @ drive.trajectory.twist(i / RATE)[3:] + BIAS + rng.normal(size=3) * NOISE * np.sqrt(RATE)
            )
            stamp_ns = START + round((i / RATE + OFFSET) * 1e9)
            bag.write("/imu", stamp_ns, messages.imu(messages.header(stamp_ns, "imu"), rate, 1e-4))
            bag.write("/imu/unconnected", stamp_ns, messages.imu(messages.header(stamp_ns, "elsewhere"), rate, 1e-4))
            bag.write("/imu/nan", stamp_ns, messages.imu(messages.header(stamp_ns, "imu"), rate * np.nan, 1e-4))
            if i % 20 == 0:
                bag.write("/imu/gaps", stamp_ns, messages.imu(messages.header(stamp_ns, "imu"), rate, 1e-4))
        for i, frame in enumerate(drive):
            image = cv2.GaussianBlur(frame.image, (0, 0), 14) if i in BLURRED else frame.image
            stamp_ns = START + i * SECOND // 10
            header = messages.header(stamp_ns, "optical")
            bag.write("/camera/image_raw", stamp_ns, messages.image(header, image, "rgb8"))
            bag.write("/camera/camera_info", stamp_ns, messages.camera_info(header, camera.model))
            exact, world = 1e-9 * np.eye(6), messages.header(stamp_ns, "world")
            odometry = messages.odometry(world, "base_link", frame.T_world_base, exact, np.zeros(6), exact)
            bag.write("/ground_truth/odometry", stamp_ns, odometry)
    return path


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint(bundled_checkpoint())


def run(recording, checkpoint, change=lambda engine: None, frames=FRAMES, **settings):
    """Reference and estimated poses, and the notes."""
    config = replace(RunConfig(), {"odometry.source": "features"} | {f"odometry.{k}": v for k, v in settings.items()})
    engine = create_engine(checkpoint, EngineConfig(device="cpu", precision="fp32"))
    change(engine)
    with BagSource(recording) as source:
        reference, found, notes = checkpoint_odometry(source, engine, checkpoint.header, frames, config=config)
    return reference.poses, found.poses, notes


def end_error(reference, found):
    error = invert(invert(reference[0]) @ reference[-1]) @ invert(found[0]) @ found[-1]
    return np.linalg.norm(error[:3, 3]), angles(error[None])[0]


def test_a_drive_with_blurred_images_stays_tracked_with_the_gyro_and_only_with_it(recording, checkpoint):
    reference, found, notes = run(recording, checkpoint)
    assert any("held" in note for note in notes), f"not lost without a gyro: {notes}"
    metres_alone, _ = end_error(reference, found)
    reference, found, notes = run(recording, checkpoint, imu_topic="/imu", **GIVEN)
    assert not any("held" in note for note in notes), notes
    assert any(note.startswith("gyro: bias (") for note in notes), notes
    metres, radians = end_error(reference, found)
    assert metres < 0.25 * metres_alone and radians < 0.01, (
        f"{metres:.2f} m (alone {metres_alone:.2f}), {radians:.4f} rad"
    )


def test_the_gyro_corrects_the_rotation_of_the_pose_network(recording, checkpoint, drive):
    def spoil(engine):
        rng, shown = np.random.default_rng(2), {}
        load_image = engine.load_image

        def load(rgb):
            image = load_image(rgb)
            shown[id(image)] = len(shown), image
            return image

        def motion(earlier, later):
            at = [drive.time(shown[id(image)][0]) for image in (earlier, later)]
            T_base_camera = drive.cameras["camera"].T_base_camera
            T_earlier, T_later = (drive.trajectory.T_world_base(time) @ T_base_camera for time in at)
            T = invert(T_later) @ T_earlier
            T[:3, 3] /= checkpoint.header.scale_factor
            T[:3, :3] = axis_angle_to_rotation(rng.normal(size=3) * 0.01) @ T[:3, :3]
            return T

        engine.load_image, engine.motion = load, motion

    error = {}
    for topic in ("", "/imu"):
        settings = {"source": "network", "rotation_noise_floor": 0.01, "imu_topic": topic, **GIVEN}
        reference, found, _ = run(recording, checkpoint, spoil, BLURRED[0], **settings)
        steps = between(between(reference[:-1], reference[1:]), between(found[:-1], found[1:]))
        error[topic] = np.sqrt(np.mean(angles(steps) ** 2))
    assert error["/imu"] < 0.4 * error[""], f"{error['/imu']:.4f} rad per step, {error['']:.4f} without gyro"


@pytest.fixture(scope="module")
def alone(recording, checkpoint):
    return run(recording, checkpoint, frames=8)


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("/imu/none", "/imu/none has no messages"),
        ("/imu/elsewhere", "no topic /imu/elsewhere in"),
        ("/imu/nan", "a rate that is not finite is passed over"),
        ("/imu/unconnected", "not used: no static transforms lead from 'elsewhere'"),
        ("/imu/gaps", "gyro: not used: no rates of the images' times"),
    ],
)
def test_without_a_usable_gyro_odometry_goes_on_and_one_note_has_the_reason(recording, checkpoint, alone, topic, said):
    _, found, notes = run(recording, checkpoint, frames=8, imu_topic=topic, **GIVEN)
    np.testing.assert_allclose(found, alone[1], atol=1e-9)
    assert sum(said in note for note in notes) == 1, notes
    assert len(notes) <= len(alone[2]) + 2


def test_a_topic_of_another_type_is_refused(recording, checkpoint):
    with pytest.raises(
        RecordingError, match="odometry.imu_topic /camera/image_raw holds sensor_msgs/msg/Image, expected"
    ):
        run(recording, checkpoint, imu_topic="/camera/image_raw")


def test_the_synthetic_world_writes_its_rates(tmp_path):
    path = tmp_path / "drive.mcap"
    arguments = ["--seconds", "0.5", "--width", "64", "--height", "32", "--imu", "--seed", "4"]
    assert main(["synth", "--out", str(path), *arguments]) == 0
    with Recording(path) as bag:
        found = [message for _, _, message in bag.read(["/imu"])]
        twists = [message.twist.twist for _, _, message in bag.read(["/ground_truth/odometry"])]
    assert len(found) == 50 and {message.header.frame_id for message in found} == {"base_link"}
    for imu, twist in zip(found[::10], twists, strict=True):
        assert repr(imu.angular_velocity) == repr(twist.angular)
    assert found[0].orientation_covariance[0] == found[0].linear_acceleration_covariance[0] == -1
