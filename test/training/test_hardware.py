# SPDX-License-Identifier: Apache-2.0
"""Device and arithmetic of a training."""

import numpy as np
import pytest
import torch

from monodepth_ros.training.hardware import restore_arithmetic, training_device, training_precision
from monodepth_ros.training.processes import Processes
from monodepth_ros.training.samples.clip import TrainingError


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"avx512_bf16": False}, "fp32"), ({}, "fp32")],
)
def test_precision_auto_is_bf16_on_cpus_with_fast_bf16(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert training_precision("auto", torch.device("cpu")) == expected
    assert training_precision("fp32", torch.device("cpu")) == "fp32"
    with pytest.raises(TrainingError, match="fp16 needs a CUDA device"):
        training_precision("fp16", torch.device("cpu"))


def test_denormal_numbers_are_zero_in_a_training_only():
    tiny = np.full(64, 1e-40, np.float32)
    training_device("cpu", Processes())
    try:
        assert not (tiny * np.float32(1)).any()
    finally:
        restore_arithmetic()
    assert (tiny * np.float32(1)).all(), "colours of clouds, packed into floats, would turn black"
