# SPDX-License-Identifier: Apache-2.0
"""What to do about topics that do not carry what is expected."""

import pytest

from monodepth_ros.ros.live.inputs.topic_advice import advice_for_types, advice_without_images, missing_info

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
INFO, DISPARITY = "sensor_msgs/msg/CameraInfo", "stereo_msgs/msg/DisparityImage"
THEORA = "theora_image_transport/msg/Packet"


@pytest.mark.parametrize(
    "topics, transport, words",
    [
        ({}, "auto", "start the camera, or remap with image:=/your/topic"),
        ({"/a/image_raw/compressed": [COMPRESSED]}, "raw", "/a/image_raw/compressed is published: set image_transport"),
        ({"/a/image_raw": [IMAGE]}, "compressed", "set image_transport to raw or auto"),
        ({"/a/image_raw/theora": [THEORA]}, "auto", "only /a/image_raw/theora (theora_image_transport/msg/Packet)"),
        ({"/a/image_raw/theora": [THEORA]}, "auto", "in_transport theora, out_transport raw"),
        ({"/b/image_raw/theora": [THEORA]}, "auto", "start the camera"),
    ],
)
def test_what_is_published_instead_of_the_images_is_named(topics, transport, words):
    assert words in advice_without_images(topics, "/a/image_raw", "/a/image_raw", transport, "image")


@pytest.mark.parametrize(
    "topics, topic, expected, words",
    [
        ({"/a/image": [COMPRESSED]}, "/a/image", IMAGE, "set image_transport to compressed or auto"),
        ({"/a/image": [IMAGE]}, "/a/image", COMPRESSED, "set image_transport to raw or auto"),
        ({"/a/compressed": [IMAGE]}, "/a/compressed", COMPRESSED, "to raw and remap with image:=/a/compressed"),
        ({"/a/image/theora": [THEORA], "/a/image": [IMAGE]}, "/a/image/theora", IMAGE, "remap with image:=/a/image"),
        ({"/a/image/theora": [THEORA]}, "/a/image/theora", IMAGE, "republish it"),
        ({"/disparity": [DISPARITY]}, "/disparity", IMAGE, "a disparity is no camera's picture"),
        ({"/points": ["sensor_msgs/msg/PointCloud2"]}, "/points", IMAGE, "remap with image:=/your/topic"),
    ],
)
def test_a_topic_of_another_type_has_a_remedy(topics, topic, expected, words):
    assert words in advice_for_types(topics, topic, expected, "image")


@pytest.mark.parametrize(
    "topics, publishers, words",
    [
        ({"/a/camera_info": [INFO]}, "/driver", "no camera_info on /a/camera_info so far, though published by /driver"),
        (
            {"/a/camera_info": [INFO]},
            "/driver",
            "/driver (volatile: one that was sent before this node started is lost)",
        ),
        ({"/a/camera_info": [IMAGE]}, "", "which carries sensor_msgs/msg/Image"),
        ({"/b/camera_info": [INFO]}, "", "if it belongs to this camera, remap with camera_info:=/b/camera_info"),
        ({}, "", "remap with camera_info:=/your/topic"),
    ],
)
def test_a_missing_camera_info_is_explained(topics, publishers, words):
    assert words in "; ".join(missing_info(topics, "/a/camera_info", publishers, "camera_info"))
