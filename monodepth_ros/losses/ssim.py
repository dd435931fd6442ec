"""Structural dissimilarity of two images (Wang et al. 2004, with 3x3 means)."""

from torch import Tensor
from torch.nn import functional as F

C1 = 0.01**2
C2 = 0.03**2


class SsimTarget:
    """A target image (B, C, H, W) in [0, 1] and its statistics, which every reconstruction of it shares."""

    def __init__(self, target: Tensor):
        self._target = _mirrored(target)
        self._mean = _mean(self._target)
        self._variance = _mean(self._target * self._target) - self._mean * self._mean

    def error(self, image: Tensor) -> Tensor:
        """(1 - SSIM) / 2 per pixel and channel, clamped to [0, 1]: (B, C, H, W)."""
        image = _mirrored(image)
        mean = _mean(image)
        variance = _mean(image * image) - mean * mean
        product = mean * self._mean
        covariance = _mean(image * self._target) - product
        similarity = (2 * product + C1) * (2 * covariance + C2)
        similarity = similarity / ((mean * mean + self._mean * self._mean + C1) * (variance + self._variance + C2))
        return ((1 - similarity) / 2).clamp(0, 1)


def ssim_error(first: Tensor, second: Tensor) -> Tensor:
    """(1 - SSIM) / 2 per pixel and channel, clamped to [0, 1].

    Images (B, C, H, W) with values in [0, 1] -> (B, C, H, W). Windows are 3x3; the border is mirrored.
    """
    return SsimTarget(second).error(first)


def _mirrored(image: Tensor) -> Tensor:
    return F.pad(image, (1, 1, 1, 1), mode="reflect")


def _mean(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, 3, 1)
