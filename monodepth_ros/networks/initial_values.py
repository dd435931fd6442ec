# SPDX-License-Identifier: Apache-2.0
"""Initial weights for training from scratch (He et al. 2015)."""

from collections.abc import Iterable

from torch import nn


def fill_encoder(module: nn.Module) -> None:
    """Fill the weights of all convolutions in an encoder so that gradients keep their variance, as in torchvision."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def fill_before_relu(layers: Iterable[nn.Conv2d]) -> None:
    """Fill convolutions that are followed by ReLU so that signals keep their variance; biases become zero.

    PyTorch's default lets the signal fade from layer to layer where no normalisation follows. The output of a pose
    network would then depend on the biases and no longer on the images.
    """
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        fill_bias_with_zeros(layer)


def fill_bias_with_zeros(layer: nn.Conv2d) -> None:
    """Set the bias of a convolution to zero."""
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
