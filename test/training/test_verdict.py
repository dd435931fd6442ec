# SPDX-License-Identifier: Apache-2.0
"""The judgement of a training by its own validations."""

import pytest

from monodepth_ros.training.verdict import reason_against_learning


def validations(*figures):
    return [{"kind": "validation", "step": 10 * i, "loss": loss, "spread": s} for i, (loss, s) in enumerate(figures)]


@pytest.mark.parametrize(
    "figures, expected",
    [
        (((0.20, 0.001), (0.15, 0.30)), ""),
        (((0.20, 0.001),), ""),  # stopped before the first validation
        (((0.20, 0.001), (0.15, 4e-7)), "depth is nearly the same everywhere (the spread of its logarithm is 4e-07)"),
        (((0.20, 0.30), (0.21, 0.30), (0.199, 0.31)), "did not fall (0.2000 before the first step, 0.1990 at best)"),
        (((0.20, 0.001), (None, 0.3)), ""),  # not finite
        (((0.20, 0.001), (0.15, 0.30), (0.16, 4e-7)), ""),  # best.safetensors is that of the smallest loss
    ],
)
def test_a_training_that_learned_nothing_is_recognised(figures, expected):
    found = reason_against_learning(validations(*figures))
    assert expected in found if expected else found == "", found
    assert not expected or ("learned nothing" in found and "monodepth inspect" in found)
