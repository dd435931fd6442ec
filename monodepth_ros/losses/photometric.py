"""Photometric error between an image and its reconstruction (Godard et al. 2019, equation 2)."""

from torch import Tensor

from monodepth_ros.losses.ssim import ssim_error


def photometric_error(first: Tensor, second: Tensor, ssim_weight: float = 0.85) -> Tensor:
    """Per-pixel error of two images (B, C, H, W) in [0, 1] -> (B, 1, H, W).

    ssim_weight times the structural dissimilarity plus the rest times the absolute difference, both averaged
    over the channels; 0 leaves the absolute difference alone.
    """
    difference = (first - second).abs().mean(1, keepdim=True)
    if ssim_weight == 0:
        return difference
    return ssim_weight * ssim_error(first, second).mean(1, keepdim=True) + (1 - ssim_weight) * difference
