# SPDX-License-Identifier: Apache-2.0
"""The `format` of sensor_msgs/CompressedImage as image_transport writes it.

It states the encoding of the raw message, then that of the array that was compressed: "rgb8; jpeg compressed bgr8".
"""

from monodepth_ros.data.images.encodings import RAW, known_name

# The array of a Bayer message that a publisher calls grey: image_transport makes it grey, others keep the mosaic.
UNSURE = "mosaic or grey"


def message_encoding(format: str) -> str:
    """The encoding of the raw message, '' if the format does not state one that is known."""
    return _raw_name(format.partition(";")[0])


def array_encoding(format: str) -> str:
    """The encoding of the array in a compressed picture, as OpenCV decodes it; '' for its usual bgr8 or mono8.

    A Bayer message is compressed as the mosaic itself, unless the format states colours. TIFF holds the array as it
    was, which swaps red and blue of an rgb8 message. UNSURE for a Bayer message whose array is called grey.
    """
    message, rest = message_encoding(format), format.partition(";")[2]
    array = _raw_name(rest.rpartition(" ")[2])
    if message.startswith("bayer"):
        if array.startswith("mono"):
            return UNSURE
        return message if array in ("", message) else ""
    return message if "tiff" in rest and message.startswith("rgb") and not array else ""


def _raw_name(word: str) -> str:
    name = known_name(word.strip())
    return name if name in RAW else ""
