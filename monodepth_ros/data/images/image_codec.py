# SPDX-License-Identifier: Apache-2.0
"""Image messages to pixels: every encoding that this package accepts, raw or compressed.

Works on anything with the fields of sensor_msgs/Image or sensor_msgs/CompressedImage: rclpy messages in the live node,
`rosbags` messages in the trainer. Independent of ROS. `ImageDecoder` decodes the images of one camera; `decode_image`
and `decode_compressed` decode one image by itself.
"""

from monodepth_ros.data.images.decoder import ImageDecoder, decode_message
from monodepth_ros.data.images.decoder_options import DecoderOptions
from monodepth_ros.data.images.encodings import ENCODINGS
from monodepth_ros.data.images.pixels import ImageError, Pixels, to_gray, to_rgb

__all__ = [
    "ENCODINGS",
    "DecoderOptions",
    "ImageDecoder",
    "ImageError",
    "Pixels",
    "decode_compressed",
    "decode_image",
    "to_gray",
    "to_rgb",
]

decode_image = decode_compressed = decode_message
