"""One error per pixel from several sources, and which pixels say nothing about depth (Godard et al. 2019, section 3)."""

import torch
from torch import Tensor

COMBINATIONS = ("minimum", "average")
TIE_BREAKER = 1e-5


def combine_reprojections(
    reprojection: Tensor,
    identity: Tensor | None = None,
    combination: str = "minimum",
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Per-pixel error (B, 1, H, W), and where it is of a reprojection (B, 1, H, W) bool: the auto-mask.

    reprojection: (B, N, H, W) photometric errors of the N warped sources. 'minimum' takes the best source at each
    pixel, which leaves out those that do not see it (equation 4); 'average' the mean. identity: (B, N, H, W) errors of
    the sources as they are. Where one of them is smaller, the pixel does not move as a static scene would (a car
    ahead, a camera at rest, the sky): it replaces the error, and has no gradient (equation 5). Noise of 1e-5 breaks
    ties, for which `generator` may be given.
    """
    if combination not in COMBINATIONS:
        raise ValueError(f"combination {combination!r}: expected one of {', '.join(COMBINATIONS)}")

    def combined(errors: Tensor) -> Tensor:
        return errors.mean(1, keepdim=True) if combination == "average" else errors.amin(1, keepdim=True)

    error = combined(reprojection)
    if identity is None:
        return error, torch.ones_like(error, dtype=torch.bool)
    if combination == "minimum":
        # Noise on each source, as each is a candidate of its own.
        still = (identity + TIE_BREAKER * _noise(identity, generator)).amin(1, keepdim=True)
    else:
        still = combined(identity)
        still = still + TIE_BREAKER * _noise(still, generator)
    still = still.detach()
    return torch.minimum(error, still), error < still


def _noise(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
