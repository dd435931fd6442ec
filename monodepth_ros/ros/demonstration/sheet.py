# SPDX-License-Identifier: Apache-2.0
"""The picture sheet of a demonstration: input | depth | ground truth | error | cloud | trajectory."""

from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import PointCloud2

from monodepth_ros.data.depth.depth_codec import decode_depth
from monodepth_ros.data.images.image_codec import ImageDecoder, to_rgb
from monodepth_ros.geometry.motion import R_BODY_OPTICAL
from monodepth_ros.odometry.scale.source import NETWORK_UNITS
from monodepth_ros.pictures.cloud_picture import CloudExtent, cloud_from_above, cloud_in_perspective
from monodepth_ros.pictures.color_picture import color_limits
from monodepth_ros.pictures.depth_scale import depth_panel
from monodepth_ros.pictures.error_picture import error_picture, relative_error, with_legend
from monodepth_ros.pictures.picture_sheet import column_height, labelled, picture_sheet
from monodepth_ros.pictures.trajectory_picture import trajectory_from_above
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE, known_points
from monodepth_ros.ros.demonstration.comparison import MAX_DEPTH, DepthComparison, Trajectories

SHEET_ROWS = 4


@dataclass(frozen=True)
class SheetContent:
    """The pictures' data.

    outputs: messages of the kept frames by stamp [ns] and topic. comparisons: by stamp [ns], of the frames that have
    ground truth. start_ns: stamp of the recording's first image.
    """

    outputs: dict[int, dict]
    input_topic: str
    comparisons: dict[int, DepthComparison]
    trajectories: Trajectories | None
    is_metric: bool
    start_ns: int

    def seconds(self, stamp_ns: int) -> str:
        """A stamp as time since the first image."""
        return f"{(stamp_ns - self.start_ns) * 1e-9:.1f} s"


def demonstration_sheet(content: SheetContent, title: str) -> np.ndarray | None:
    """Bgr sheet (H, W, 3) with a row for each of a few frames spread over the run; None if no frame is complete."""
    outputs, comparisons, is_metric = content.outputs, content.comparisons, content.is_metric
    needed = {content.input_topic, "depth/image", "depth/points"}
    complete = [stamp for stamp, messages in sorted(outputs.items()) if needed <= messages.keys()]
    if comparisons:
        complete = [stamp for stamp in complete if stamp in comparisons]
    if not complete:
        return None
    picks = [complete[i] for i in np.unique(np.linspace(0, len(complete) - 1, SHEET_ROWS).astype(int))]
    rows = []
    decoder = ImageDecoder()
    for stamp in picks:
        messages = outputs[stamp]
        row = [labelled(input_picture(messages[content.input_topic], decoder), f"input, {content.seconds(stamp)}")]
        if stamp in comparisons:
            row += compared_pictures(comparisons[stamp], is_metric, legend=not rows)
        else:
            depth = decode_depth(messages["depth/image"])
            unit = "m" if is_metric else NETWORK_UNITS
            row.append(depth_panel(depth, unit, "depth (near is bright)"))
        row += cloud_pictures(messages["depth/points"], is_metric, from_above=stamp not in comparisons)
        rows.append(row)
    column = trajectory_column(content, picks, column_height(rows)) if content.trajectories is not None else None
    return picture_sheet(rows, title, column)


def input_picture(message, decoder: ImageDecoder) -> np.ndarray:
    """Bgr picture of a raw or compressed image message, by the decoder of its camera."""
    pixels = decoder.decode(message)
    return to_rgb(pixels.array, pixels.layout)[..., ::-1]


def compared_pictures(comparison: DepthComparison, is_metric: bool, legend: bool) -> list[np.ndarray]:
    """Depth and ground truth in the same colours, and the error."""
    limits = color_limits(comparison.truth)
    error = relative_error(comparison.truth, comparison.predicted, MAX_DEPTH)
    scaling = "" if is_metric else f", relative: shown x {comparison.factor:.3g}"
    pictures = [
        depth_panel(comparison.predicted, "m", f"depth{scaling}", limits),
        depth_panel(comparison.truth, "m", "ground truth, same colours", limits),
        labelled(error_picture(error), f"error |d - g| / g, mean {comparison.metrics.abs_rel:.2f}"),
    ]
    if legend:
        pictures[-1] = with_legend(pictures[-1])
    return pictures


def cloud_pictures(cloud: PointCloud2, is_metric: bool, from_above: bool) -> list[np.ndarray]:
    """The cloud in perspective and, if asked for, from above."""
    points, colors = cloud_arrays(cloud)
    extent = CloudExtent()
    if not is_metric and len(points):  # network units have no known size: fit the picture to the cloud
        unit = float(np.percentile(points[:, 0], 90)) / 40.0
        points = points / unit
        extent = CloudExtent(unit=f"x {unit:.2g} {NETWORK_UNITS}")
    pictures = [cloud_in_perspective(points, colors, extent)]
    if from_above:
        pictures.append(cloud_from_above(points, colors, extent))
    return pictures


def trajectory_column(content: SheetContent, picks: list[int], height: int) -> np.ndarray:
    """Bgr picture (height, W, 3) of the trajectory, with marks where the sheet's frames were taken."""
    trajectories = content.trajectories
    marks = {}
    for stamp in picks:
        nearest = int(np.abs(trajectories.stamps - stamp).argmin())
        marks[content.seconds(stamp)] = trajectories.positions[nearest]
    unit = "m" if content.is_metric or trajectories.reference is not None else NETWORK_UNITS
    if trajectories.factor != 1.0:
        unit += f" (x {trajectories.factor:.3g})"
    width = max(240, height // 3)
    return trajectory_from_above(trajectories.positions, height, width, trajectories.reference, marks, unit)


def cloud_arrays(cloud: PointCloud2) -> tuple[np.ndarray, np.ndarray]:
    """Finite points (N, 3) in body axes (x forward, y left, z up) from the camera, and their rgb (N, 3)."""
    optical, colors = known_points(np.frombuffer(cloud.data, CLOUD_DTYPE))
    return optical @ R_BODY_OPTICAL.T, colors
