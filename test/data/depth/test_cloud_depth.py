# SPDX-License-Identifier: Apache-2.0
"""A LiDAR's clouds become depth of the camera's pixels and the reference of a recording."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.depth.cloud_depth import CloudError, cloud_points, depth_of_points, plausible_points
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, invert, make_transform

START_NS = 1_700_000_000_000_000_000
TENTH = 100_000_000
CAMERA = CameraModel.pinhole(8, 6, 5.0, 5.0, 3.5, 2.5)
# The LiDAR looks along x and stands half a metre above the camera, a little behind it.
T_CAMERA_LIDAR = invert(make_transform(R_BODY_OPTICAL, (0.3, 0.0, -0.5)))


def cloud_of(points, frame="lidar", stamp_ns=START_NS):
    fields = np.zeros((1, len(points)), [(name, "<f4") for name in ("x", "y", "z", "intensity")])
    for name, values in zip("xyz", np.transpose(points), strict=True):
        fields[name] = values
    return messages.point_cloud(messages.header(stamp_ns, frame), fields, True)


def in_lidar(points_in_camera):
    T = invert(T_CAMERA_LIDAR)
    return np.asarray(points_in_camera) @ T[:3, :3].T + T[:3, 3]


def test_points_fall_where_the_camera_sees_them():
    corner, centre = CAMERA.backproject(np.array([[0.0, 0.0], [3.0, 2.0]]), np.array([4.0, 7.0]))
    behind_centre = centre * 1.5
    outside, behind = (20.0, 0.0, 1.0), (0.0, 0.0, -3.0)
    points = in_lidar([corner, behind_centre, centre, outside, behind])
    depth = depth_of_points(cloud_points(cloud_of(points)), T_CAMERA_LIDAR, CAMERA)
    assert depth.dtype == np.float32 and np.isfinite(depth).sum() == 2
    assert depth[0, 0] == pytest.approx(4.0, abs=1e-5)
    assert depth[2, 3] == pytest.approx(7.0, abs=1e-5), "the nearer of two points"


@pytest.mark.parametrize("datatype, kind", [(7, "f4"), (8, "f8")])
@pytest.mark.parametrize("order", "<>")
def test_clouds_in_every_layout(datatype, kind, order):
    layout = np.dtype({"names": list("zyx"), "formats": [order + kind] * 3, "offsets": [4, 12, 24], "itemsize": 40})
    array = np.zeros((2, 3), layout)
    array["x"], array["y"], array["z"] = np.arange(6).reshape(2, 3), 7, np.nan
    array["z"][1] = 9
    field, type_ = messages.TYPES["sensor_msgs/msg/PointField"], messages.TYPES["sensor_msgs/msg/PointCloud2"]
    fields = [field(name, layout.fields[name][1], datatype, 1) for name in "zyx"]
    padded = np.zeros((2, 130), np.uint8)  # rows may be longer than their points
    padded[:, :120] = array.view(np.uint8).reshape(2, 120)
    cloud = type_(
        header=messages.header(START_NS, "lidar"),
        height=2,
        width=3,
        fields=fields,
        is_bigendian=order == ">",
        point_step=40,
        row_step=130,
        data=padded.ravel(),
        is_dense=False,
    )
    np.testing.assert_array_equal(cloud_points(cloud), [(3, 7, 9), (4, 7, 9), (5, 7, 9)])


def test_clouds_without_coordinates_or_with_missing_data_are_refused():
    cloud = cloud_of([(1.0, 2.0, 3.0)])
    cloud.fields = cloud.fields[:2]
    with pytest.raises(CloudError, match="without float z"):
        cloud_points(cloud)
    cloud = cloud_of([(1.0, 2.0, 3.0)] * 4)
    cloud.data = cloud.data[:-8]
    with pytest.raises(CloudError, match="only 56 bytes"):
        cloud_points(cloud)


LARGE = 2**32 - 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"point_step": 0}, "point_step 0, expected 12"),
        ({"point_step": 0, "row_step": 0, "width": LARGE, "height": 1}, "expected at most"),
        ({"point_step": 0, "row_step": 0, "width": 1, "height": 100_000_000}, "point_step 0"),
        ({"point_step": 4}, "point_step 4"),
        ({"point_step": LARGE, "width": 1}, "point_step 4294967295"),
        ({"row_step": 0}, "row_step 0, expected at least 64"),
        ({"row_step": LARGE}, "only 64 bytes"),
        ({"width": LARGE}, "at most 134217728"),
        ({"width": LARGE, "height": LARGE}, "at most"),
        ({"height": 1000}, "only 64 bytes"),
        ({"data": np.empty(0, np.uint8)}, "only 0 bytes"),
    ],
)
def test_clouds_whose_sizes_contradict_each_other_are_refused(changes, words):
    cloud = cloud_of([(1.0, 2.0, 3.0)] * 4)
    for name, value in changes.items():
        setattr(cloud, name, value)
    with pytest.raises(CloudError, match=words):
        cloud_points(cloud)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offset": 14}, "point_step 16"),
        ({"offset": LARGE}, "point_step 16"),
        ({"datatype": 5}, "without float y"),
        ({"datatype": 250}, "without float y"),
        ({"name": "n\x1b[2J" * 1000}, r"without float y .*n\?\[2J"),
    ],
)
def test_clouds_whose_fields_are_not_in_their_points_are_refused(changes, words):
    cloud = cloud_of([(1.0, 2.0, 3.0)] * 4)
    for name, value in changes.items():
        setattr(cloud.fields[1], name, value)
    with pytest.raises(CloudError, match=words) as refused:
        cloud_points(cloud)
    assert len(str(refused.value)) < 500


def test_empty_clouds_have_no_points_and_absurd_points_are_left_out():
    empty = cloud_of([(1.0, 2.0, 3.0)])
    empty.width, empty.row_step, empty.data = 0, 0, empty.data[:0]
    assert cloud_points(empty).shape == (0, 3)
    points = [(1.0, 2.0, 3.0), (1e30, 0.0, 0.0), (0.0, -np.inf, 0.0)]
    np.testing.assert_array_equal(cloud_points(cloud_of(points)), points[:1])
    huge = cloud_of(points[:1])
    huge.fields[0].count = LARGE  # only the first number of a field is read
    assert len(cloud_points(huge)) == 1


def lidar_bag(path, connected=True, clouds=("/velodyne_points",), delay_ns=0):
    with BagWriter(path) as bag:
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
        mount = messages.transform_stamped(messages.header(0, "camera_optical"), "lidar", T_CAMERA_LIDAR)
        bag.write("/tf_static", START_NS, messages.transforms([mount] if connected else []))
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        for topic in (*clouds, "/camera/points"):
            bag.add_topic(topic, "sensor_msgs/msg/PointCloud2")
        for i in range(4):
            stamp_ns = START_NS + i * TENTH
            header = messages.header(stamp_ns, "camera_optical")
            bag.write("/camera/camera_info", stamp_ns, messages.camera_info(header, CAMERA))
            image = np.full((6, 8, 3), 40 * i, np.uint8)
            bag.write("/camera/image_raw", stamp_ns + 1000, messages.image(header, image, "rgb8"))
            points = CAMERA.backproject(np.array([[3.0, 2.0]]), np.array([5.0 + i]))
            for topic in clouds:
                bag.write(topic, stamp_ns + 2000, cloud_of(in_lidar(points), stamp_ns=stamp_ns + delay_ns))
            # The camera's own cloud is not a measurement of another sensor.
            bag.write("/camera/points", stamp_ns + 3000, cloud_of(points * 2, "camera_optical", stamp_ns))
    return str(path)


@pytest.mark.parametrize("delay_ns", [0, 30_000_000, -30_000_000])
def test_the_lidar_of_a_bag_is_its_reference_depth(tmp_path, delay_ns):
    with open_source(lidar_bag(tmp_path / "bag.mcap", delay_ns=delay_ns)) as source:
        depths = [frame.reference_depth for frame in source.frames()]
        assert source.references == [
            ("reference depth", "/velodyne_points (points, not corrected for motion in a sweep, 4 clouds)")
        ]
    for i, depth in enumerate(depths):
        assert np.isfinite(depth).sum() == 1 and depth[2, 3] == pytest.approx(5.0 + i, abs=1e-4)


def test_clouds_far_from_the_image_in_time_are_not_used(tmp_path):
    with open_source(lidar_bag(tmp_path / "bag.mcap", delay_ns=400_000_000)) as source:
        frames = list(source.frames())
    assert len(frames) == 4 and frames[0].reference_depth is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"connected": False}, "no static transforms"),
        ({"clouds": ("/lidar/front", "/lidar/rear")}, "several point clouds"),
    ],
)
def test_unusable_clouds_are_noted_with_the_reason(tmp_path, options, reason):
    with open_source(lidar_bag(tmp_path / "bag.mcap", **options)) as source:
        frames = list(source.frames())
        assert len(frames) == 4 and all(frame.reference_depth is None for frame in frames)
        assert any(reason in note for note in source.notes), source.notes


def test_bytes_that_are_no_numbers_are_left_out_without_a_warning(recwarn):
    signalling = np.full((2, 3), 0x7F800001, np.uint32).view(np.float32)
    points = np.concatenate([signalling, np.array([[1, 2, 3], [np.inf, 0, 0], [0, 3e38, 0]], np.float32)])
    assert plausible_points(points).tolist() == [[1.0, 2.0, 3.0]]
    assert not recwarn.list
