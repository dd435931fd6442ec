"""Photometric error between an image and its reconstruction (Godard et al. 2019, equation 2)."""

from torch import Tensor

from monodepth_ros.losses.ssim import SsimTarget

SSIM_WEIGHT = 0.85


class PhotometricTarget:
    """A target image (B, C, H, W) in [0, 1] that several reconstructions are compared with.

    ssim_weight: the share of the structural dissimilarity; the rest is the absolute difference, both averaged over the
    channels. 0 leaves the absolute difference alone.
    """

    def __init__(self, target: Tensor, ssim_weight: float = SSIM_WEIGHT):
        self._target, self._ssim_weight = target, ssim_weight
        self._ssim = SsimTarget(target) if ssim_weight > 0 else None

    def error(self, image: Tensor) -> Tensor:
        """Per-pixel error of a reconstruction (B, C, H, W): (B, 1, H, W)."""
        difference = (image - self._target).abs().mean(1, keepdim=True)
        if self._ssim is None:
            return difference
        dissimilarity = self._ssim.error(image).mean(1, keepdim=True)
        return self._ssim_weight * dissimilarity + (1 - self._ssim_weight) * difference


def photometric_error(first: Tensor, second: Tensor, ssim_weight: float = SSIM_WEIGHT) -> Tensor:
    """Per-pixel error of two images (B, C, H, W) in [0, 1] -> (B, 1, H, W); see PhotometricTarget."""
    return PhotometricTarget(second, ssim_weight).error(first)
