# SPDX-License-Identifier: Apache-2.0
"""Images of a benchmark's camera, encoded in advance."""

import os
from array import array
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras.topics import choose_image_stream
from monodepth_ros.data.images.image_codec import ImageDecoder, to_rgb

COUNT = 16
# The default of image_transport's compressed publisher in ROS 2.
JPEG_QUALITY = 95
RECORDING = "rosbag2/kitti_colour_compressed_mcap"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class ImageSequence:
    """Encoded images. payloads: data of sensor_msgs/CompressedImage (JPEG) or Image (rgb8). description: of them."""

    payloads: list[array]
    description: str

    @property
    def mean_bytes(self) -> float:
        """Mean size of a payload [bytes]."""
        return sum(map(len, self.payloads)) / len(self.payloads)


def image_sequence(origin: str, width: int, height: int, compressed: bool) -> ImageSequence:
    """A short sequence of images of this size.

    origin: "procedural" for a textured plane that moves sideways, the path of a recording, or "auto" for the colour
    recording of the real data (MONODEPTH_DATA) if it is there, else procedural. Recorded images are resized and encoded
    again, so that all have the same JPEG quality.
    """
    if origin == "auto":
        recording = Path(os.environ.get("MONODEPTH_DATA") or DATA) / RECORDING
        origin = str(recording) if recording.is_dir() else "procedural"
    if origin == "procedural":
        images, description = _procedural(width, height), "procedural texture"
    else:
        images, description = _recorded(origin, width, height), f"{Path(origin).name}, recorded"
    return ImageSequence([_payload(image, compressed) for image in images], description)


def _procedural(width: int, height: int) -> list[np.ndarray]:
    """Noise whose spectrum falls with frequency, as in photographs."""
    random = np.random.default_rng(7)
    step = 8
    size = (width + COUNT * step, height)
    picture = np.zeros((size[1], size[0], 3), np.float32)
    cell = 256
    while cell >= 1:
        coarse = random.standard_normal((-(-size[1] // cell), -(-size[0] // cell), 3)).astype(np.float32)
        coarse = 0.3 * coarse + 0.7 * coarse.mean(axis=2, keepdims=True)
        picture += cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) * float(cell) ** 0.5
        cell //= 2
    low, high = np.percentile(picture, (1, 99))
    picture = np.clip((picture - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return [picture[:, i * step : i * step + width] for i in range(COUNT)]


def _recorded(path: str, width: int, height: int) -> list[np.ndarray]:
    images = []
    with Recording(path) as recording:
        stream = choose_image_stream(recording)
        decoder = ImageDecoder()
        for _, _, message in recording.read([stream.image]):
            pixels = decoder.decode(message)
            rgb = to_rgb(pixels.array, pixels.layout)
            images.append(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))
            if len(images) == COUNT:
                break
    return images


def _payload(rgb: np.ndarray, compressed: bool) -> array:
    """Image data in the form that rclpy does not convert element by element."""
    data = array("B")
    if compressed:
        rgb = cv2.imencode(".jpg", rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1]
    data.frombytes(np.ascontiguousarray(rgb).tobytes())
    return data
