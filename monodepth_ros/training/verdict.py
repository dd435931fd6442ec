# SPDX-License-Identifier: Apache-2.0
"""Whether a training has learned anything, judged by its own validations."""

from collections.abc import Mapping, Sequence
from typing import Any

# Depth is a plane if the standard deviation of its logarithm, within an image, is smaller. Networks that have learned
# reach 0.3 and more on streets.
MIN_SPREAD = 0.02
# A training that learns lowers the loss of held-out frames by far more than this share.
MIN_GAIN = 0.01
REMEDY = (
    "look at `monodepth inspect`, and try another loop.seed, a lower optimizer.learning_rate, more steps or more video"
)


def reason_against_learning(validations: Sequence[Mapping[str, Any]]) -> str:
    """Why a training has learned nothing, and what to do; '' if it has learned, or if nothing was held out.

    validations: the log's lines of kind 'validation', the first from before the first step (see `Validation`). The one
    with the smallest loss is judged.
    """
    later = [line for line in validations[1:] if line.get("loss") is not None]
    if not later:
        return ""
    before, best = validations[0], min(later, key=lambda line: line["loss"])
    if best.get("spread") is not None and best["spread"] < MIN_SPREAD:
        found = f"depth is nearly the same everywhere (the spread of its logarithm is {best['spread']:.3g})"
    elif before.get("loss") is not None and not best["loss"] < (1 - MIN_GAIN) * before["loss"]:
        values = f"{before['loss']:.4f} before the first step, {best['loss']:.4f} at best"
        found = f"the loss on held-out frames did not fall ({values})"
    else:
        return ""
    return f"learned nothing: {found}; {REMEDY}"
