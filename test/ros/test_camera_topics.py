# SPDX-License-Identifier: Apache-2.0
"""Which of a robot's topics are cameras."""

import pytest

from monodepth_ros.ros.live.inputs.camera_topics import published_cameras

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
INFO, STATUS = "sensor_msgs/msg/CameraInfo", "monodepth_ros/msg/DepthStatus"


def graph(images="", compressed="", infos="", statuses=""):
    """Published topics by type, each a list of names."""
    kinds = ((images, IMAGE), (compressed, COMPRESSED), (infos, INFO), (statuses, STATUS))
    return {name: [kind] for names, kind in kinds for name in names.split()}


REALSENSE = graph(
    "/camera/camera/color/image_raw /camera/camera/depth/image_rect_raw "
    "/camera/camera/aligned_depth_to_color/image_raw",
    "/camera/camera/color/image_raw/compressed /camera/camera/color/image_raw/compressedDepth "
    "/camera/camera/depth/image_rect_raw/compressedDepth",
    "/camera/camera/color/camera_info /camera/camera/depth/camera_info",
)
USB = graph("/image_raw", "/image_raw/compressed", "/camera_info")
PROCESSED = graph("/front/image_raw /front/image_mono /front/image_rect", "", "/front/camera_info")
WITH_DETECTOR = graph("/camera/image_raw /detector/debug_image", "", "/camera/camera_info")
WITH_DEPTH_NODE = graph(
    "/camera/image_raw /robot/depth/image /robot/rgb/image_rect /robot/depth/color",
    "/robot/depth/image/compressedDepth",
    "/camera/camera_info /robot/depth/camera_info",
    "/robot/depth/status",
)
OAK = graph("/oak/rgb/image_raw /oak/stereo/image_raw", "", "/oak/rgb/camera_info /oak/stereo/camera_info")
STEREO = graph(
    "/stereo/left/image_raw /stereo/right/image_raw", "", "/stereo/left/camera_info /stereo/right/camera_info"
)


@pytest.mark.parametrize(
    "topics, expected",
    [
        (REALSENSE, ["/camera/camera/color/image_raw"]),
        (USB, ["/image_raw"]),
        (PROCESSED, ["/front/image_raw"]),
        (WITH_DETECTOR, ["/camera/image_raw"]),
        (WITH_DEPTH_NODE, ["/camera/image_raw"]),
        (OAK, ["/oak/rgb/image_raw"]),
        (STEREO, ["/stereo/left/image_raw", "/stereo/right/image_raw"]),
        (graph("", "/phone/image/compressed"), ["/phone/image"]),
        (graph("/depth_camera/image_raw /depth_camera/depth/image_raw"), ["/depth_camera/image_raw"]),
        (graph("/oak/rgb/preview/image_raw /detector/debug_image"), ["/oak/rgb/preview/image_raw"]),
        (
            graph("/depth_camera/color/image_raw /oak/preview/image_raw /net/colorized"),
            ["/depth_camera/color/image_raw"],
        ),
        (graph("/_hidden/image_raw /disparity_image", "/points"), []),
    ],
)
def test_depth_outputs_and_pictures_made_from_a_camera_are_no_cameras(topics, expected):
    assert [camera.image for camera in published_cameras(topics)] == expected


def test_the_published_transports_are_known():
    (usb,) = published_cameras(USB)
    (phone,) = published_cameras(graph("", "/phone/image/compressed"))
    assert (usb.has_raw, usb.has_compressed) == (True, True)
    assert (phone.has_raw, phone.has_compressed) == (False, True)


def test_a_node_in_a_namespace_sees_its_own_robot():
    topics = graph("/one/camera/image_raw /two/camera/image_raw /one_more/camera/image_raw")
    assert [camera.image for camera in published_cameras(topics, "/one")] == ["/one/camera/image_raw"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "/camera/color/image_raw /camera/infra1/image_rect_raw /camera/infra2/image_rect_raw",
            "/camera/color/image_raw",
        ),
        ("/rgb/image_raw /ir/image_raw /rgb_to_depth/image_raw", "/rgb/image_raw"),
        ("/camera/ir/image_raw /camera/depth/image_raw", "/camera/ir/image_raw"),
        ("/oak/rgb/image_raw /oak/rgb/preview/image_raw", "/oak/rgb/image_raw"),
        ("/oak/rgb/preview/image_raw /oak/rgb/preview/depth", "/oak/rgb/preview/image_raw"),
    ],
)
def test_the_choice_is_that_of_recordings(names, expected):
    assert [camera.image for camera in published_cameras(graph(names))] == [expected]
