# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench video`: a drive as H.264 beside the same drive as JPEG.

The images of SOURCE, forwards and backwards until there are --count of them, are written as a recording of JPEG
(quality 95) and as one of H.264 with a key frame in --group images. Measured are their sizes, the time to index them
(with an empty cache), the time to read and decode the three images of a training sample in any order, and the share of
the time that a training waits for its data (see `scripts/bench train --data`). H.264 is measured with its decoded
pictures kept on the disk, as the index does, and without.
"""

import argparse
import os
import shlex
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bench import train
from bench.arguments import make_parser
from bench.machine import core_speed
from bench.result_file import command_line, conditions, write_result
from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.video_types import FFMPEG_PACKET
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.frame_index import index_frames
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceFrame, SourceOptions
from monodepth_ros.data.video_stream import frame_store
from monodepth_ros.data.video_stream.codecs import import_av

JPEG_QUALITY = 95
START_NS, INTERVAL_NS = 1_700_000_000_000_000_000, 100_000_000
VARIANTS = ("JPEG", "H.264, kept decoded", "H.264, decoded anew")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options in `arguments`."""
    parser = make_parser("video", __doc__)
    parser.add_argument("source", metavar="SOURCE", help="recording or folder whose images to take")
    parser.add_argument("--count", type=int, default=400, help="images of the recordings (400)")
    parser.add_argument("--group", type=int, default=30, help="images from key frame to key frame (30)")
    parser.add_argument("--crf", type=int, default=20, help="quality of H.264, lower is better (20)")
    parser.add_argument("--triplets", type=int, default=100, help="samples to read (100)")
    parser.add_argument("--rounds", type=int, default=6, help="as for scripts/bench train, 0: no training (6)")
    parser.add_argument("--training", default="", help="more options of scripts/bench train, in quotes")
    options = parser.parse_args(arguments)
    if min(options.count, options.group, options.triplets) < 1:
        parser.error("--count, --group and --triplets must be positive")
    return options


def main(arguments: list[str]) -> int:
    """Measure, print, and write video_<time>.json to the folder of results."""
    options = parse(arguments)
    figures = conditions(command_line("video", arguments)) | {"core_gflops": round(core_speed(), 1)}
    with tempfile.TemporaryDirectory() as folder:
        figures["variants"] = measure(options, Path(folder))
    names = ("megabytes", "index_ms_per_image", "triplet_ms", "kept_megabytes", "waiting_share", "samples_per_second")
    print(f"{'':22s}" + "".join(f"{name:>20s}" for name in names))
    for variant, values in figures["variants"].items():
        print(f"{variant:22s}" + "".join(f"{values.get(name, float('nan')):20.3f}" for name in names))
    write_result("video", figures, options.results)
    return 0


def measure(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    """Figures of each variant."""
    with open_source(options.source) as source:
        images = list(source.frames())
    write_jpeg(folder / "jpeg.mcap", images, options.count)
    write_h264(folder / "h264.mcap", images, options)
    del images
    found = {}
    limit = frame_store.LIMIT
    for number, variant in enumerate(VARIANTS):
        path = folder / ("jpeg.mcap" if variant == "JPEG" else "h264.mcap")
        frame_store.LIMIT = 0 if "anew" in variant else limit
        os.environ["XDG_CACHE_HOME"] = str(folder / f"cache_{number}")
        found[variant] = measure_reading(path, options)
        if options.rounds:
            training = train.parse(
                ["--data", str(path), "--rounds", str(options.rounds), *shlex.split(options.training)]
            )
            waited = train.measure_wait(training)
            found[variant] |= {name: waited[name] for name in ("waiting_share", "samples_per_second", "steps")}
    return found


def measure_reading(path: Path, options: argparse.Namespace) -> dict[str, float]:
    """Size [MB], and times of the index [ms per image] and of a sample's three images, median [ms]."""
    began = time.perf_counter()
    index = index_frames(str(path), SourceOptions())
    seconds = time.perf_counter() - began
    random = np.random.default_rng(0)
    targets = random.permutation(np.arange(1, len(index) - 1))[: options.triplets]
    with open_source(str(path)) as source:
        source.read(int(index.stamps_ns[0]), int(index.received_ns[0]))
        times = []
        for target in targets:
            again = time.perf_counter()
            for frame in (target, target - 1, target + 1):
                source.read(int(index.stamps_ns[frame]), int(index.received_ns[frame]))
            times.append(time.perf_counter() - again)
    kept = sum(file.stat().st_size for file in frame_store.decoded_folder().rglob("*") if file.is_file())
    return {
        "images": len(index),
        "megabytes": path.stat().st_size * 1e-6,
        "index_ms_per_image": 1e3 * seconds / len(index),
        "triplet_ms": 1e3 * float(np.median(times)),
        "kept_megabytes": kept * 1e-6,
    }


def write_jpeg(path: Path, images: list[SourceFrame], count: int) -> None:
    """The drive as JPEG."""
    topic = "/camera/image_raw/compressed"
    with BagWriter(path) as bag:
        bag.add_topic(topic, "sensor_msgs/msg/CompressedImage")
        for i, image in enumerate(_there_and_back(images, count)):
            data = cv2.imencode(".jpg", _rgb(image)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].ravel()
            message = messages.compressed_image(_write_info(bag, image, i), "bgr8; jpeg compressed bgr8", data)
            bag.write(topic, START_NS + i * INTERVAL_NS, message)


def write_h264(path: Path, images: list[SourceFrame], options: argparse.Namespace) -> None:
    """The drive as FFMPEGPacket, as a camera's encoder makes them."""
    av = import_av("the benchmark's recording")
    first = _rgb(images[0])
    context = av.CodecContext.create("libx264", "w")
    # H.264 in 4:2:0 takes even sizes.
    context.height, context.width = (side // 2 * 2 for side in first.shape[:2])
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 10), Fraction(10)
    context.gop_size, context.max_b_frames = options.group, 0
    context.options = {"preset": "veryfast", "tune": "zerolatency", "crf": str(options.crf)}
    kind, topic = BagWriter.types[FFMPEG_PACKET], "/camera/image_raw/ffmpeg"
    with BagWriter(path) as bag:
        bag.add_topic(topic, FFMPEG_PACKET)
        for i, image in enumerate(_there_and_back(images, options.count)):
            rgb = np.ascontiguousarray(_rgb(image)[: context.height, : context.width])
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts = i
            header = _write_info(bag, image, i)
            for packet in context.encode(frame):
                data = np.frombuffer(bytes(packet), np.uint8)
                about = (context.width, context.height, "libx264", i, int(packet.is_keyframe), False)
                bag.write(topic, START_NS + i * INTERVAL_NS, kind(header, *about, data))


def _write_info(bag: BagWriter, image: SourceFrame, number: int) -> object:
    """Write the calibration once; the header of an image."""
    header = messages.header(START_NS + number * INTERVAL_NS, "camera_optical")
    if number == 0:
        width, height = (side // 2 * 2 for side in image.pixels.size)
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        info = messages.camera_info(header, image.camera)
        info.width, info.height = width, height
        bag.write("/camera/camera_info", START_NS, info)
    return header


def _there_and_back(images: list[SourceFrame], count: int) -> list[SourceFrame]:
    once = images + images[-2:0:-1]
    return [once[i % len(once)] for i in range(count)]


def _rgb(image: SourceFrame) -> np.ndarray:
    """The image as RGB, of even size."""
    rgb = to_rgb(image.pixels.array, image.pixels.layout)
    return np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
