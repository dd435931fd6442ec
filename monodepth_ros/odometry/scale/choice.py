"""From the name of a scale source to the source."""

from monodepth_ros.networks.checkpoint import CheckpointHeader
from monodepth_ros.odometry.scale.source import ScaleSource
from monodepth_ros.odometry.scale.stated import CheckpointScale, FixedScale, RelativeScale


def choose_scale(source: str, factor: float, header: CheckpointHeader) -> ScaleSource:
    """The source called `auto`, `checkpoint`, `fixed` (with its factor) or `relative`.

    Raises ScaleError if the checkpoint states no scale and is asked for it.
    """
    if source == "relative":
        return RelativeScale()
    if source == "fixed":
        return FixedScale(factor)
    return CheckpointScale(header.scale_kind, header.scale_factor, header.scale_origin)
