"""Structural dissimilarity of two images (Wang et al. 2004, with 3x3 means)."""

from torch import Tensor
from torch.nn import functional as F

C1 = 0.01**2
C2 = 0.03**2


def ssim_error(first: Tensor, second: Tensor) -> Tensor:
    """(1 - SSIM) / 2 per pixel and channel, clamped to [0, 1].

    Images (B, C, H, W) with values in [0, 1] -> (B, C, H, W). Windows are 3x3; the border is mirrored.
    """
    first = F.pad(first, (1, 1, 1, 1), mode="reflect")
    second = F.pad(second, (1, 1, 1, 1), mode="reflect")

    def mean(image: Tensor) -> Tensor:
        return F.avg_pool2d(image, 3, 1)

    mean_1, mean_2 = mean(first), mean(second)
    variance_1 = mean(first * first) - mean_1 * mean_1
    variance_2 = mean(second * second) - mean_2 * mean_2
    covariance = mean(first * second) - mean_1 * mean_2
    similarity = (2 * mean_1 * mean_2 + C1) * (2 * covariance + C2)
    similarity = similarity / ((mean_1 * mean_1 + mean_2 * mean_2 + C1) * (variance_1 + variance_2 + C2))
    return ((1 - similarity) / 2).clamp(0, 1)
