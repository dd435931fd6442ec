# SPDX-License-Identifier: Apache-2.0
"""The choice of the part of the live image that gets depth: all of it, or what the training's camera saw."""

from dataclasses import replace

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import STRIDE
from monodepth_ros.pipeline.network_view import NetworkView, guessed_view, view_through

VIEWS = ("whole", "training")
ENOUGH = 0.80
"""Share of the image with which the training camera's view is kept; with less there is a warning."""
# The networks' time grows with their columns. A panorama's are squeezed beyond this multiple of the checkpoint's.
MAX_COLUMNS = 2.0


def choose_view(camera: CameraModel, header: CheckpointHeader, part: str = "whole") -> NetworkView:
    """The view of a checkpoint's network through `camera`; part: one of VIEWS.

    training: what the training's camera saw, see `view_through`. whole: the same if that is at least ENOUGH of the
    image, otherwise the whole image (`whole_image`).
    """
    if not camera.is_calibrated:
        return guessed_view(camera, choose_view(camera.assumed(), header, part))
    seen = view_through(camera, header.training_camera, header.width, header.height, header.filter)
    if part == "training" or seen.image_coverage >= ENOUGH:
        return seen
    return whole_image(seen, header)


def how_to_see_more(part: str) -> str:
    """The advice for a user of whose image less than ENOUGH gets depth; part: as in `choose_view`."""
    if part == "training":
        return "set image.view to whole for the rest, or train for this camera"
    return "train for this camera, or use another engine"


def whole_image(seen: NetworkView, header: CheckpointHeader) -> NetworkView:
    """The view of the whole image of another view's camera, at the network's number of rows.

    A network knows the distance of the ground from its row: error is least if the image fills as many rows as in
    training, whatever its field of view, and depth is multiplied by the ratio of the vertical focal lengths
    (docs/frames.md, What the network sees). The columns follow the camera's aspect.
    """
    image, training = (
        seen.image_camera,
        CameraModel.from_normalized(header.width, header.height, header.training_camera),
    )
    columns = header.height * (image.width / image.fx) / (image.height / image.fy)
    columns = min(columns, MAX_COLUMNS * header.width)
    target = image.resized(max(1, round(columns / STRIDE)) * STRIDE, header.height)
    factor = target.fy / training.fy
    description = (
        f"the whole image at {target.width}x{target.height}, depth multiplied by {factor:.3f} (ratio of focal lengths)"
    )
    return replace(
        seen,
        camera=target,
        resampler=Resampler(seen.resampler.source, target, header.filter),
        depth_factor=factor,
        kind="whole",
        description=description,
    )
