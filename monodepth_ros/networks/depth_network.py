# SPDX-License-Identifier: Apache-2.0
"""A depth network: an encoder and a decoder behind the interface that engines and training use."""

from collections.abc import Iterable

from torch import Tensor, nn

from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.disparity_decoder import DisparityDecoder

STRIDE = 32


class NetworkError(MonodepthError):
    """An image size, scale or name that the networks do not have."""


def check_size(width: int, height: int) -> None:
    """Raise NetworkError unless both are positive multiples of 32: encoders halve an image five times."""
    if width <= 0 or height <= 0 or width % STRIDE or height % STRIDE:
        nearest = [max(STRIDE, round(size / STRIDE) * STRIDE) for size in (width, height)]
        raise NetworkError(
            f"image size {width}x{height}: width and height must be multiples of {STRIDE};"
            f" resize to {nearest[0]}x{nearest[1]}"
        )


class Encoder(nn.Module):
    """Base of the encoders: forward(image) -> list of features from fine to coarse.

    image: (B, 3, H, W) in [0, 1]. channels: number of channels of each feature.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = channels


class DepthNetwork(nn.Module):
    """Disparity from an image.

    Images are (B, 3, H, W) in [0, 1] with H and W multiples of 32, else NetworkError; the network normalises them
    itself. A disparity is (B, 1, H / 2^s, W / 2^s) in (0, 1); `networks.disparity` converts it to depth. The state
    dicts of `encoder` and `decoder` are those of the published `encoder.pth` and `depth.pth`.
    """

    def __init__(self, encoder: Encoder, decoder: DisparityDecoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    @property
    def scales(self) -> tuple[int, ...]:
        """The scales that `decode` can give, full resolution (0) first."""
        return self.decoder.scales

    @property
    def heads(self) -> list[nn.Module]:
        """The last layer of each scale, finest scale first."""
        return self.decoder.heads

    @property
    def published_parts(self) -> dict[str, nn.Module]:
        """The sub-modules whose state dicts are those of the published files, by the files' stems."""
        return {"encoder": self.encoder, "depth": self.decoder}

    def encode(self, image: Tensor) -> list[Tensor]:
        """Features from fine to coarse."""
        check_size(image.shape[-1], image.shape[-2])
        return self.encoder(image)

    def decode(self, features: list[Tensor], scales: Iterable[int] | None = None) -> dict[int, Tensor]:
        """Disparity by scale; None means all scales. Computes only what the scales need."""
        scales = self.scales if scales is None else tuple(scales)
        if not scales or any(scale not in self.scales for scale in scales):
            raise NetworkError(f"scales {scales}: this network has the scales {self.scales}")
        return self.decoder(features, scales)

    def forward(self, image: Tensor, scales: Iterable[int] | None = None) -> dict[int, Tensor]:
        return self.decode(self.encode(image), scales)
