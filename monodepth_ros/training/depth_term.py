# SPDX-License-Identifier: Apache-2.0
"""Settings of the supervision by reference depth."""

from dataclasses import dataclass

from monodepth_ros.losses.depth_supervision import KINDS
from monodepth_ros.settings.schema import ConfigError, setting


@dataclass(frozen=True)
class DepthTermConfig:
    """Supervision by the recordings' reference depth, at its pixels, which makes depth metric."""

    weight: float = setting(
        0.0,
        "Weight of the error against reference depth (a depth camera's or a LiDAR's); 0 uses it for validation only.",
        minimum=0.0,
        maximum=100.0,
    )
    kind: str = setting(
        "silog",
        "Error: silog (scale-invariant in the logarithm, Eigen et al. 2014) or l1 (of inverse depth, relative).",
        choices=KINDS,
    )
    min_range: float = setting(0.1, "Nearest reference depth that teaches.", unit="m", minimum=0.0, maximum=1000.0)
    max_range: float = setting(
        80.0, "Farthest reference depth that teaches; depth cameras are coarse beyond some metres.", unit="m",
        minimum=0.01, maximum=10000.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.min_range >= self.max_range:
            raise ConfigError(
                f"objective.depth.min_range {self.min_range:g} must be less than objective.depth.max_range"
                f" {self.max_range:g}"
            )
