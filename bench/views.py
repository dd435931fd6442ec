# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench views`: coverage and error of depth by the shape of the camera, for several views of one network.

The cameras are those of the synthetic world (streets that the bundled checkpoint has not seen) in four aspects and two
fields of view, or with --source those of recordings: their own depth is the truth, or that of stereo matching with the
baseline. A cell has abs_rel in metres and with each image scaled by its median, over the truth up to 80 m that the view
covers; `same part` is the whole image's error where the view before saw something, too.

before: the training camera's view (image.view: training). whole: the whole image at the network's number of rows
(image.view: whole). extended: the whole image at the training's focal length in pixels. squeezed: the whole image at
the checkpoint's size.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.arguments import make_parser
from bench.result_file import command_line, conditions, write_result
from bench.result_rows import markdown_table
from bench.stereo_truth import stereo_frames
from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner
from monodepth_ros.evaluation.depth_in_camera import DepthInCamera
from monodepth_ros.evaluation.depth_metrics import EvaluationError, evaluate_depth
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import STRIDE
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.pipeline.network_view import NetworkView, view_through
from monodepth_ros.pipeline.view_choice import whole_image
from monodepth_ros.synthetic.drive import Drive, mounted

ASPECTS = {"10:3": (640, 192), "16:9": (640, 360), "4:3": (640, 480), "1:1": (480, 480)}
FIELDS_OF_VIEW = (50, 80)  # degrees
FIRST_SEED, SECONDS = 1000, (2.0, 6.0, 10.0)
FRAMES = 12  # of a recording
VIEWS = ("before", "whole", "extended", "squeezed")
COLUMNS = [
    "camera", "before: share of the image", "before: abs_rel", "whole: share of the image", "whole: abs_rel",
    "whole: abs_rel, same part", "extended: abs_rel", "squeezed: abs_rel",
]  # fmt: skip

Sample = tuple[str, CameraModel, np.ndarray, np.ndarray]
"""Camera's name and model, rgb (H, W, 3) and true depth (H, W) [m], 0 where unknown."""


def main(arguments: list[str]) -> int:
    """Measure and print the table, and write views_<time>.json to the folder of results."""
    parser = make_parser("views", __doc__)
    parser.add_argument("--checkpoint", default=BUNDLED_NAME, help=f"the network ({BUNDLED_NAME})")
    parser.add_argument("--factor", type=float, default=0.0, help="metres per network unit (the checkpoint's)")
    parser.add_argument("--source", nargs="+", default=[], metavar="PATH", help="recordings instead of streets")
    parser.add_argument("--streets", type=int, default=6, help="number of synthetic streets (6)")
    options = parser.parse_args(arguments)
    checkpoint = load_checkpoint(options.checkpoint)
    engine = PytorchEngine(checkpoint, "cpu", "fp32")
    factor = options.factor or checkpoint.header.scale_factor
    found: dict[str, list[dict]] = {}
    for name, camera, rgb, truth in _samples(options):
        found.setdefault(name, []).append(measure(engine, camera, rgb, truth, factor))
    rows = [_row(name, samples) for name, samples in found.items()]
    print("\n".join(markdown_table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])))
    figures = conditions(command_line("views", arguments)) | {"columns": COLUMNS, "rows": rows}
    write_result("views", figures, options.results)
    return 0


def _samples(options: argparse.Namespace) -> Iterator[Sample]:
    if not options.source:
        yield from _street_samples(options.streets)
    for path in options.source:
        with open_source(path, SourceOptions()) as source:
            partner = stereo_partner(path, SourceOptions(), source)
            name = f"{source.description.split(' (')[0].rsplit('/', 1)[-1]} {{}}x{{}}"
            frames = [frame for frame in source.frames() if frame.reference_depth is not None]
            samples = [(f.camera, to_rgb(f.pixels.array, f.pixels.layout), f.reference_depth) for f in frames]
            samples = samples or stereo_frames(path, partner, FRAMES)
        for camera, rgb, truth in samples[:: max(1, len(samples) // FRAMES)]:
            yield name.format(camera.width, camera.height), camera, rgb, truth


def _street_samples(streets: int) -> Iterator[Sample]:
    cameras = {}
    for aspect, (width, height) in ASPECTS.items():
        for degrees in FIELDS_OF_VIEW:
            focal = width / 2 / math.tan(math.radians(degrees / 2))
            model = CameraModel.pinhole(width, height, focal, focal, width / 2 - 0.5, height / 2 - 0.5)
            cameras[f"{aspect}, {degrees} degrees"] = mounted(model)
    for seed in range(FIRST_SEED, FIRST_SEED + streets):
        drive = Drive(seed, SECONDS[-1] + 1, cameras=cameras)
        for seconds in SECONDS:
            for name, camera in cameras.items():
                frame = drive.frame_at(seconds, name)
                yield name, camera.model, frame.image, np.where(np.isfinite(frame.depth), frame.depth, 0.0)


def measure(engine: PytorchEngine, camera: CameraModel, rgb: np.ndarray, truth: np.ndarray, factor: float) -> dict:
    """Share of the image with depth and (abs_rel, abs_rel scaled by the median) of every view."""
    header = engine.header
    found: dict = {}
    before = view_through(camera, header.training_camera, header.width, header.height, header.filter)
    seen = np.isfinite(_depth(engine, before, camera, rgb))
    for name, view in _views(before, header).items():
        depth = factor * _depth(engine, view, camera, rgb)
        found[name] = float(np.isfinite(depth).mean()), _errors(truth, depth)
        found[f"{name}, same part"] = 0.0, _errors(np.where(seen, truth, 0.0), depth)
    return found


def _views(before: NetworkView, header: CheckpointHeader) -> dict[str, NetworkView]:
    image = before.image_camera
    training = CameraModel.from_normalized(header.width, header.height, header.training_camera)
    sides = [training.fx * image.width / image.fx, training.fy * image.height / image.fy]
    extended = image.resized(*(max(1, round(side / STRIDE)) * STRIDE for side in sides))
    squeezed = image.resized(header.width, header.height)

    def seen_by(target: CameraModel) -> NetworkView:
        resampler = Resampler(before.resampler.source, target, header.filter)
        return replace(before, camera=target, resampler=resampler, depth_factor=target.fy / training.fy)

    views = before, whole_image(before, header), seen_by(extended), seen_by(squeezed)
    return dict(zip(VIEWS, views, strict=True))


def _depth(engine: PytorchEngine, view: NetworkView, camera: CameraModel, rgb: np.ndarray) -> np.ndarray:
    """Depth at the camera's pixels in network units, NaN where the view does not look."""
    engine.prepare(view.size)
    disparity = engine.disparity(engine.load_image(view.resampler(rgb)))
    depth = view.depth_factor / scale_disparity(disparity, engine.header.min_depth, engine.header.max_depth)
    if view.resampler.valid is not None:
        depth[~view.resampler.valid] = np.nan
    return DepthInCamera(view.camera, camera)(depth)


def _errors(truth: np.ndarray, depth: np.ndarray) -> tuple[float, float]:
    try:
        one, other = (evaluate_depth(truth, depth, crop="none", scaling=scaling) for scaling in ("none", "median"))
    except EvaluationError:
        return math.nan, math.nan
    return one.abs_rel, other.abs_rel


def _row(name: str, samples: list[dict]) -> dict[str, str]:
    row = {"camera": name}
    for column in COLUMNS[1:]:
        view, what = column.split(": ")
        found = [sample[view + what.removeprefix("abs_rel").removeprefix("share of the image")] for sample in samples]
        if what.startswith("share"):
            row[column] = f"{100 * np.mean([share for share, _ in found]):.0f} %"
        else:
            metres, scaled = np.nanmean([errors for _, errors in found], axis=0)
            row[column] = f"{metres:.3f} / {scaled:.3f}"
    return row
