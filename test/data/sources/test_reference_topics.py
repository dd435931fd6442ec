# SPDX-License-Identifier: Apache-2.0
"""The reference depth and poses of a recording are found or named, and candidates that cannot be used say why."""

import cv2
import numpy as np
import pytest
from small_sources import CAMERA, START_NS, TENTH, picture, read, write_bag

from monodepth_ros.data.bags import depth_status, messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import make_transform
from monodepth_ros.pipeline.compressed_depth import compress_depth

ALIGNED = "/camera/aligned_depth_to_color/image_raw"
RAW = "/camera/depth/image_rect_raw"
TYPES = BagWriter.types


def rgbd_bag(path, topics, mounts=(), infos=(), extra=(), count=3):
    """Images at 10 Hz on /camera/color/image_raw in frame `color`.

    topics: (name, frame, array -> image message fields) of depth. mounts: (parent, child, T). infos: (topic, frame,
    camera). extra: (topic, type, function of stamp -> message).
    """
    with BagWriter(path) as bag:
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
        chain = [messages.transform_stamped(messages.header(0, p), c, T) for p, c, T in mounts]
        bag.write("/tf_static", START_NS, messages.transforms(chain))
        bag.add_topic("/camera/color/image_raw", "sensor_msgs/msg/Image")
        for topic, _, _ in (("/camera/color/camera_info", "color", CAMERA), *infos):
            bag.add_topic(topic, "sensor_msgs/msg/CameraInfo")
        for topic, _, depth in topics:
            kind = "Image" if depth.dtype != object else "CompressedImage"
            bag.add_topic(topic, f"sensor_msgs/msg/{kind}")
        for topic, kind, _ in extra:
            bag.add_topic(topic, kind)
        for i in range(count):
            at = START_NS + i * TENTH
            for topic, frame, camera in (("/camera/color/camera_info", "color", CAMERA), *infos):
                bag.write(topic, at, messages.camera_info(messages.header(at, frame), camera))
            bag.write("/camera/color/image_raw", at, messages.image(messages.header(at, "color"), picture(i), "rgb8"))
            for topic, frame, depth in topics:
                header = messages.header(at + 5_000_000, frame)  # a few milliseconds later, as from a second sensor
                if depth.dtype == object:
                    message = messages.compressed_image(header, *depth)
                else:
                    message = messages.image(header, depth, {"u": "16UC1", "f": "32FC1"}[depth.dtype.kind])
                bag.write(topic, at + 6_000_000, message)
            for topic, _, make in extra:
                bag.write(topic, at, make(at))
    return str(path)


def with_holes(width=8, height=6):
    depth = np.arange(1000, 1000 + 10 * width * height, 10).astype(np.uint16).reshape(height, width)
    depth[:2, 3] = 0
    return depth


def test_aligned_depth_of_a_recording_is_found_and_named_before_the_first_frame(tmp_path):
    path = rgbd_bag(tmp_path / "bag.mcap", [(ALIGNED, "color", with_holes()), ("/x/depth", "color", with_holes())])
    with open_source(path) as source:
        assert source.has_reference_depth
        (name, text), *_ = source.references
        assert (name, text) == (
            "reference depth",
            f"{ALIGNED} (registered, 3 images); others: --depth-topic /x/depth",
        )
        frames = list(source.frames())
    for frame in frames:
        np.testing.assert_allclose(frame.reference_depth[3, 3], with_holes()[3, 3] / 1000, rtol=1e-6)
        assert np.isnan(frame.reference_depth[:2, 3]).all(), "a hole is unknown"


def test_a_depth_topic_is_chosen_or_switched_off_by_its_name(tmp_path):
    depths = [(ALIGNED, "color", with_holes()), ("/x/depth", "color", np.full((6, 8), 2.5, np.float32))]
    path = rgbd_bag(tmp_path / "bag.mcap", depths)
    source, frames = read(path, depth_topic="x/depth")
    assert (frames[0].reference_depth == 2.5).all() and "/x/depth (registered" in source.references[0][1]
    source, frames = read(path, depth_topic="none")
    assert frames[0].reference_depth is None
    assert source.references[0] == ("reference depth", "off (--depth-topic none)")
    with pytest.raises(
        MonodepthError, match=r"/camera/color/image_raw holds 3 .* and no depth.*there: /camera/aligned"
    ):
        read(path, depth_topic="/camera/color/image_raw")


@pytest.mark.parametrize("scale", [2, 0.5])
def test_registered_depth_may_be_larger_or_smaller_by_a_whole_factor(tmp_path, scale):
    depth = with_holes(int(8 * scale), int(6 * scale))
    _, frames = read(rgbd_bag(tmp_path / "bag.mcap", [(ALIGNED, "color", depth)]))
    found = frames[0].reference_depth
    assert found.shape == (6, 8)
    nearest = depth[5, 7] if scale == 2 else depth[1, 1]
    assert found[2, 3] == pytest.approx(nearest / 1000), "the nearest pixel, not a mean"


def test_depth_of_another_size_is_refused_with_both_sizes(tmp_path):
    path = rgbd_bag(tmp_path / "bag.mcap", [(ALIGNED, "color", with_holes(7, 6))])
    source, frames = read(path)
    assert frames[0].reference_depth is None
    # The colour camera's calibration is the only one of the frame; the depth image does not fit it.
    assert any("7x6" in note and "8x6" in note for note in source.notes), source.notes


def test_a_depth_camera_beside_the_colour_camera_is_reprojected(tmp_path):
    camera = CameraModel.pinhole(8, 6, 5.0, 5.0, 3.5, 2.5)
    mounts = [("color", "depth", make_transform(np.eye(3), (0.4, 0, 0.5)))]
    depth = np.zeros((6, 8), np.uint16)
    depth[2, 3] = 1500
    path = rgbd_bag(
        tmp_path / "bag.mcap", [(RAW, "depth", depth)], mounts, [("/camera/depth/camera_info", "depth", camera)]
    )
    source, frames = read(path)
    assert "reprojected by its calibration and TF" in source.references[0][1]
    found = frames[0].reference_depth
    # (-0.15 + 0.4, -0.15, 2.0) projects to 3.5 + 5 * 0.25 / 2, 2.5 - 5 * 0.15 / 2
    assert np.argwhere(np.isfinite(found)).tolist() == [[2, 4]] and found[2, 4] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("mounts", "infos", "reason"),
    [
        ((), True, f"depth topic {RAW} is in frame 'depth', the image in 'color', and no transform joins them"),
        ((("color", "depth"),), False, "and the depth has no camera_info: record it, or align depth"),
    ],
)
def test_depth_that_cannot_be_reprojected_says_why(tmp_path, mounts, infos, reason):
    shift = make_transform(np.eye(3), (0.1, 0, 0))
    path = rgbd_bag(
        tmp_path / "bag.mcap",
        [(RAW, "depth", with_holes())],
        [(*names, shift) for names in mounts],
        [("/camera/depth/camera_info", "depth", CAMERA)] if infos else [],
    )
    source, frames = read(path)
    assert frames[0].reference_depth is None
    assert any(reason in note for note in source.notes), source.notes
    with pytest.raises(MonodepthError, match=reason.replace("/", ".")):
        read(path, depth_topic=RAW)


def test_depth_of_another_camera_is_not_taken_unless_it_is_named(tmp_path):
    path = write_bag(tmp_path / "bag", cameras=("left", "right"))
    _, frames = read(path, topic="/right/image_raw")
    assert frames[0].reference_depth is None
    _, frames = read(path, topic="/right/image_raw", depth_topic="/ground_truth/depth")
    assert np.isfinite(frames[0].reference_depth).any()


def test_depth_that_this_package_estimated_is_no_reference(tmp_path):
    estimated = [("/depth/image", "color", np.ones((6, 8), np.float32))]
    status = ("/depth/status", depth_status.TYPE, depth_status_message)
    source, frames = read(rgbd_bag(tmp_path / "bag.mcap", estimated, extra=[status]))
    assert frames[0].reference_depth is None and not source.references


def depth_status_message(at):
    fields = TYPES[depth_status.TYPE].__dataclass_fields__
    values = {}
    for name, field in fields.items():
        if name not in ("header", "__msgtype__") and not name.isupper():
            values[name] = "" if "str" in str(field.type) else 0
    return messages.status(messages.header(at, "color"), values)


@pytest.mark.parametrize("form", ["16UC1 png", "32FC1 png", "plain png"])
def test_compressed_depth_is_a_reference(tmp_path, form):
    metres = (with_holes() / 1000).astype(np.float32)
    metres[metres == 0] = np.nan
    if form == "plain png":
        _, png = cv2.imencode(".png", with_holes())
        content = "16UC1; png compressed ", png.reshape(-1)
    else:
        content = compress_depth(with_holes() if form.startswith("16") else metres, 100.0, 10.0)
    topic = ALIGNED + ("/compressed" if form == "plain png" else "/compressedDepth")
    holder = np.empty(2, object)
    holder[:] = content
    _, frames = read(rgbd_bag(tmp_path / "bag.mcap", [(topic, "color", holder)]))
    np.testing.assert_allclose(frames[0].reference_depth, metres, rtol=2e-3)


def test_depth_further_off_than_half_a_frame_is_not_used(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as bag:
        for topic in ("/image", "/depth"):
            bag.add_topic(topic, "sensor_msgs/msg/Image")
        for i in range(4):
            at = START_NS + i * 40_000_000
            bag.write("/image", at, messages.image(messages.header(at, "c"), picture(i), "rgb8"))
            if i != 1:  # one depth image is missing, and one comes 25 ms late
                late = at + (25_000_000 if i == 3 else 10_000_000)
                depth = np.full((6, 8), 1.0 + i, np.float32)
                bag.write("/depth", late, messages.image(messages.header(late, "c"), depth, "32FC1"))
    with open_source(str(path)) as source:
        frames = list(source.frames())
        again = [source.reference_depth(f.stamp_ns, f.received_ns, f.camera) for f in frames]
    for depths in ([frame.reference_depth for frame in frames], again):
        assert [None if depth is None else depth[0, 0] for depth in depths] == [1.0, None, 3.0, None]


def pose_bag(path, kind, make):
    mount = [("base_link", "color", make_transform(np.eye(3), (0, 0, 1.0)))]
    return rgbd_bag(path, [], mount, extra=[("/pose", kind, make)])


def _pose(at):
    return make_transform(np.eye(3), (1e-9 * (at - START_NS), 2.0, 0.0))


POSES = {
    "geometry_msgs/msg/PoseStamped": lambda at: messages.pose_stamped(messages.header(at, "map"), _pose(at)),
    "geometry_msgs/msg/PoseWithCovarianceStamped": lambda at: TYPES["geometry_msgs/msg/PoseWithCovarianceStamped"](
        messages.header(at, "map"),
        TYPES["geometry_msgs/msg/PoseWithCovariance"](messages.pose(_pose(at)), np.zeros(36)),
    ),
    "nav_msgs/msg/Path": lambda at: messages.path(
        messages.header(at, "map"),
        [messages.pose_stamped(messages.header(t, "map"), _pose(t)) for t in range(START_NS, at + 1, TENTH)],
    ),
    "geometry_msgs/msg/TransformStamped": lambda at: messages.transform_stamped(
        messages.header(at, "map"), "base_link", _pose(at)
    ),
    "tf2_msgs/msg/TFMessage": lambda at: messages.transforms(
        [messages.transform_stamped(messages.header(at, "map"), "base_link", _pose(at))]
    ),
}


@pytest.mark.parametrize("kind", POSES)
def test_every_kind_of_pose_topic_gives_the_camera_its_poses(tmp_path, kind):
    path = pose_bag(tmp_path / "bag.mcap", kind, POSES[kind])
    source, frames = read(path, odometry_topic="/pose")
    positions = [frame.T_world_camera[:3, 3] for frame in frames]
    np.testing.assert_allclose(positions, [(0.1 * i, 2.0, 1.0) for i in range(3)], atol=1e-9)
    assert "of 'base_link'" in source.references[-1][1]
    source, frames = read(path)
    assert frames[0].T_world_camera is None, "a robot's poses are not the reference unless a user selects them"
    if kind != "tf2_msgs/msg/TFMessage":
        assert source.references == [("reference poses", "none chosen; candidates: --odometry-topic /pose")]


def test_poses_of_an_unconnected_frame_are_refused_by_name(tmp_path):
    def pose(at):
        return messages.transform_stamped(messages.header(at, "map"), "gripper", _pose(at))

    path = pose_bag(tmp_path / "bag.mcap", "geometry_msgs/msg/TransformStamped", pose)
    with pytest.raises(MonodepthError, match="/pose gives the pose of 'gripper' and is not used: no static transforms"):
        read(path, odometry_topic="/pose")


@pytest.mark.parametrize(("frame", "moves"), [("base_link", True), ("map", False), ("camera_frame", True)])
def test_poses_that_move_or_are_in_the_world_are_references_whatever_their_frame(tmp_path, frame, moves):
    def pose(at):
        return messages.pose_stamped(messages.header(at, frame), _pose(at if moves else START_NS))

    path = pose_bag(tmp_path / "bag.mcap", "geometry_msgs/msg/PoseStamped", pose)
    assert read(path, odometry_topic="/pose")[1][0].T_world_camera is not None


def test_the_same_pose_in_a_frame_of_the_robot_is_no_reference(tmp_path):
    def pose(at):
        return messages.pose_stamped(messages.header(at, "base_link"), np.eye(4))

    path = pose_bag(tmp_path / "bag.mcap", "geometry_msgs/msg/PoseStamped", pose)
    assert read(path)[0].references == []
    with pytest.raises(MonodepthError, match="/pose gives one pose throughout, in a frame of the robot itself"):
        read(path, odometry_topic="/pose")


def test_none_switches_the_reference_of_files_off(tmp_path):
    from small_sources import write_kitti_drive, write_kitti_sequence

    drive = write_kitti_drive(tmp_path)
    with open_source(str(drive), SourceOptions()) as source:
        assert source.has_reference_depth
        frame = list(source.frames())[1]
        assert source.reference_depth(frame.stamp_ns, frame.received_ns, frame.camera)[2, 3] == 10.0
    _, frames = read(drive, depth_topic="none")
    assert all(frame.reference_depth is None for frame in frames)
    _, frames = read(write_kitti_sequence(tmp_path / "sequence"), odometry_topic="none")
    assert all(frame.T_world_camera is None for frame in frames)


def test_a_named_depth_topic_is_that_of_the_left_camera_of_a_pair(tmp_path):
    path = write_bag(tmp_path / "bag", cameras=("left", "right"))
    options = SourceOptions(topic="/left/image_raw", depth_topic="/ground_truth/depth")
    with open_source(str(path), options) as source:
        partner = stereo_partner(str(path), options, source)
    assert partner is not None and partner.topic == "/right/image_raw"
    _, frames = read(path, topic=partner.topic, depth_topic=partner.depth_topic)
    assert frames[0].reference_depth is None


def test_registered_depth_stays_registered_under_another_calibration(tmp_path):
    info = ("/camera/aligned_depth_to_color/camera_info", "color", CAMERA)
    path = rgbd_bag(tmp_path / "bag.mcap", [(ALIGNED, "color", with_holes())], infos=[info])
    write_calibration(tmp_path / "camera.yaml", CameraModel.pinhole(8, 6, 7.0, 7.0, 3.0, 2.0), "camera")
    source, frames = read(path, calibration_file=str(tmp_path / "camera.yaml"))
    assert "(registered" in source.references[0][1] and frames[0].camera.fx == 7.0
    assert frames[0].reference_depth[3, 3] == pytest.approx(with_holes()[3, 3] / 1000)
