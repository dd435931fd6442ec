# SPDX-License-Identifier: Apache-2.0
"""Parity check of an engine against PyTorch in float32."""

import numpy as np

from monodepth_ros.inference.engine import Engine, EngineError
from monodepth_ros.inference.pytorch import PytorchEngine
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.networks.formula_weights import formula_image

FP32_DISPARITY = 1e-4  # largest difference of a pixel's disparity
REDUCED_DEPTH = 0.01  # largest mean relative difference of depth in bf16 and fp16
FP32_MOTION = 1e-4  # largest difference of an element, absolute plus relative
REDUCED_MOTION = 0.02


def check_parity(engine: Engine, checkpoint: Checkpoint) -> None:
    """Run the engine, and PyTorch in float32 on the CPU, on one pair of images; EngineError if they differ."""
    reference = PytorchEngine(checkpoint, "cpu", "fp32")
    header = checkpoint.header
    pair = [
        np.ascontiguousarray(255 * formula_image(phase, header.height, header.width).transpose(1, 2, 0)).astype(
            np.uint8
        )
        for phase in (0.0, 0.7)
    ]
    loaded, expected = [engine.load_image(rgb) for rgb in pair], [reference.load_image(rgb) for rgb in pair]
    exact = engine.precision == "fp32"
    for found, wanted in zip(loaded, expected, strict=True):
        _check_disparity(engine, engine.disparity(found), reference.disparity(wanted), header, exact)
    if engine.has_pose:
        found, wanted = engine.motion(*loaded), reference.motion(*expected)
        tolerance = FP32_MOTION if exact else REDUCED_MOTION
        if not np.allclose(found, wanted, rtol=tolerance, atol=tolerance, equal_nan=True):
            _refuse(engine, f"its motion is off by {np.abs(found - wanted).max():.2g}")


def _check_disparity(
    engine: Engine, found: np.ndarray, wanted: np.ndarray, header: CheckpointHeader, exact: bool
) -> None:
    if found.shape != wanted.shape or not np.isfinite(found).all():
        _refuse(engine, f"its disparity is {found.shape} with {np.isnan(found).sum()} NaN, expected {wanted.shape}")
    if exact:
        difference = np.abs(found - wanted).max()
        if difference > FP32_DISPARITY:
            _refuse(engine, f"its disparity is off by {difference:.2g}, {FP32_DISPARITY:g} is allowed")
    else:
        depth, reference = (disparity_to_depth(d, header.min_depth, header.max_depth) for d in (found, wanted))
        difference = np.mean(np.abs(depth - reference) / reference)
        if difference > REDUCED_DEPTH:
            _refuse(engine, f"its depth is off by {100 * difference:.2g} %, {100 * REDUCED_DEPTH:g} % is allowed")


def _refuse(engine: Engine, reason: str) -> None:
    raise EngineError(
        f"engine {engine.name} ({engine.precision}) does not agree with PyTorch on this checkpoint ({reason})",
        "use engine pytorch, or another precision",
    )
