# SPDX-License-Identifier: Apache-2.0
"""Structural similarity of an image x with a target y, and its derivative (Wang et al. 2004, with 3x3 means).

With sums s over the nine pixels of a window instead of means, and c1 = 81 C1, c2 = 81 C2:

    SSIM = A B / (C D),   A = 2 s_x s_y + c1,           B = 18 s_xy - 2 s_x s_y + c2,
                          C = s_x^2 + s_y^2 + c1,       D = 9 (s_xx + s_yy) - s_x^2 - s_y^2 + c2.

SSIM takes most of the time of the training loss. It is therefore computed in few passes over memory, in preallocated
tensors, with a derivative written out by hand.
"""

import torch
from torch import Tensor

from monodepth_ros.losses.window_sums import spread_over_windows, window_sums

C1 = 81 * 0.01**2
C2 = 81 * 0.03**2
BUFFERS = 6
"""Number of work tensors of the image's shape that a comparison needs."""


class SsimTarget:
    """A contiguous target image (B, C, H, W) in [0, 1], and its statistics, computed once for all comparisons."""

    def __init__(self, target: Tensor) -> None:
        self._target = target
        self._sums = window_sums(target, torch.empty_like(target), torch.empty_like(target))
        self._squared_sums = (self._sums * self._sums).add_(C1)
        # A constant added to every pixel appears nine times in the sum over a window.
        self._squares = (9 * target * target).add_((C1 + C2) / 9)
        self._constant = target.new_tensor((C1 + C2) / 9)
        self._c1 = target.new_tensor(C1)

    def similarity(self, image: Tensor, part: slice, buffers: list[Tensor]) -> Tensor:
        """SSIM (b, C, H, W) of images with the samples `part` of the target; the result is one of the buffers."""
        _, A, B, C, D, _ = self._factors(image, part, buffers)
        return A.mul_(B).div_(C.mul_(D))

    def similarity_and_slopes(self, image: Tensor, part: slice, slopes: list[Tensor], buffers: list[Tensor]) -> Tensor:
        """SSIM as from `similarity`; writes its derivatives to `slopes`.

        The three slopes (b, C, H, W) are the derivatives by s_xy / 18, by -9 s_xx and by s_x / 2.
        """
        by_product, by_square, by_sum = slopes
        # A, B and C turn into the slopes in place.
        sums, _, _, _, _, spare = buffers
        _, A, B, C, D, spare = self._factors(image, part, [sums, by_product, by_sum, by_square, buffers[4], spare])
        inverse = torch.mul(C, D, out=spare).reciprocal_()
        A.mul_(inverse)
        similarity = torch.mul(A, B, out=buffers[1])
        B.mul_(inverse)
        over = inverse.mul_(similarity)  # SSIM / (C D)
        D.sub_(C).mul_(over)  # SSIM / C - SSIM / D
        C.mul_(over)
        B.sub_(A).mul_(self._sums[part]).addcmul_(sums, D, value=-1)
        return similarity

    def pull_back(
        self, image: Tensor, part: slice, slopes: list[Tensor], weight: Tensor, out: Tensor, buffers: list[Tensor]
    ) -> None:
        """Write the gradient of the sum of weight (b, 1, H, W) times SSIM with respect to the images to `out`."""
        by_product, by_square, by_sum = slopes
        weighted, scratch = buffers[:2]
        spread_over_windows(torch.mul(by_sum, weight, out=weighted), out, scratch)
        out.mul_(2)
        spread_over_windows(torch.mul(by_product, weight, out=weighted), weighted, scratch)
        out.addcmul_(self._target[part], weighted, value=18)
        spread_over_windows(torch.mul(by_square, weight, out=weighted), weighted, scratch)
        out.addcmul_(image, weighted, value=-18)

    def _factors(self, image: Tensor, part: slice, buffers: list[Tensor]) -> list[Tensor]:
        """The buffers, now with s_x, A, B, C, D and a last one that is free."""
        sums, A, B, C, D, scratch = buffers
        window_sums(image, sums, scratch)
        torch.addcmul(self._squares[part], image, image, value=9, out=D)
        window_sums(D, D, scratch)
        torch.addcmul(self._constant, image, self._target[part], value=18, out=B)
        window_sums(B, B, scratch)
        torch.addcmul(self._c1, sums, self._sums[part], value=2, out=A)
        torch.addcmul(self._squared_sums[part], sums, sums, out=C)
        B.sub_(A)
        D.sub_(C)
        return buffers
