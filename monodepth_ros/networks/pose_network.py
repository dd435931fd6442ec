# SPDX-License-Identifier: Apache-2.0
"""A pose network: the interface that engines and training use."""

from torch import Tensor, nn

# Keeps the first motions of an untrained network near zero.
OUTPUT_SCALE = 0.01


class PoseNetwork(nn.Module):
    """Base of the networks that predict the motion between two images.

    forward(earlier, later) -> axis-angle (B, 3) [rad] and translation (B, 3) of T_later_earlier, which maps points of
    the earlier camera into the later one. The arguments are images (B, 3, H, W) in [0, 1] with H and W multiples of 32,
    else NetworkError; or, if `uses_depth_features`, the depth encoder's deepest features (B, C, H / 32, W / 32).
    """

    uses_depth_features = False
    times_mean_inverse_depth = False
    """Whether the translation must be multiplied by the mean inverse depth of the target image to be in network units
    (Wang et al. 2018, DDVO). Otherwise it is in network units."""

    @property
    def published_parts(self) -> dict[str, nn.Module]:
        """The sub-modules whose state dicts are those of the published files, by the files' stems."""
        raise NotImplementedError


def split_motion(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Axis-angle (B, 3) and translation (B, 3): the spatial mean of the first six channels of (B, C, h, w)."""
    motion = OUTPUT_SCALE * outputs[:, :6].mean(dim=(2, 3))
    return motion[:, :3], motion[:, 3:]
