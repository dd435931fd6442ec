# SPDX-License-Identifier: Apache-2.0
"""One error per pixel from several sources, and the auto-mask of static pixels (Godard et al. 2019, section 3)."""

from functools import reduce

import torch
from torch import Tensor

COMBINATIONS = ("minimum", "average")
TIE_BREAKER = 1e-5


def combine_reprojections(
    reprojection: Tensor, still: Tensor | None = None, combination: str = "minimum"
) -> tuple[Tensor, Tensor]:
    """Per-pixel error (B, 1, H, W), and the auto-mask (B, 1, H, W): true where the error is that of a reprojection.

    reprojection: (B, N, H, W) photometric errors of the N warped sources. combination: 'minimum' takes the best source
    at each pixel and so ignores sources that do not see it (equation 4); 'average' takes the mean. still: (B, 1, H, W)
    from `still_error`. Where it is smaller, the pixel does not move as a static scene would (a car ahead, a camera at
    rest, the sky): `still` then replaces the error and has no gradient (equation 5).
    """
    error = _combined(reprojection, combination)
    if still is None:
        return error, torch.ones_like(error, dtype=torch.bool)
    return torch.minimum(error, still), error < still


def still_error(identity: Tensor, combination: str = "minimum", generator: torch.Generator | None = None) -> Tensor:
    """Error per pixel (B, 1, H, W) without warping, from the errors (B, N, H, W) of the unwarped sources.

    Noise of 1e-5 breaks ties. The result depends on the images only and serves all scales; it has no gradient.
    """
    identity = identity.detach()
    if combination == "minimum":
        # Noise on each source, because each is a candidate.
        return _combined(identity + TIE_BREAKER * _noise(identity, generator), combination)
    error = _combined(identity, combination)
    return error + TIE_BREAKER * _noise(error, generator)


def _combined(errors: Tensor, combination: str) -> Tensor:
    if combination not in COMBINATIONS:
        raise ValueError(f"combination {combination!r}: expected one of {', '.join(COMBINATIONS)}")
    if combination == "average":
        return errors.mean(1, keepdim=True)
    return reduce(torch.minimum, torch.split(errors, 1, dim=1))


def _noise(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
