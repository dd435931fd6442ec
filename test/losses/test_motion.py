# SPDX-License-Identifier: Apache-2.0
"""The error of a motion, in radians for any unit of length."""

import numpy as np
import pytest
import torch

from monodepth_ros.geometry.motion import axis_angle_to_rotation, make_transform
from monodepth_ros.losses.motion import motion_error


def motion(axis_angle, translation):
    return torch.from_numpy(make_transform(axis_angle_to_rotation(np.array(axis_angle)), np.array(translation)))[None]


def test_the_error_is_the_angle_plus_the_translation_seen_at_the_depth():
    known, depth = motion((0, 0.1, 0), (0, 0, 1.0)), torch.full((1, 1, 4, 6), 10.0)
    assert motion_error(known, known, depth).item() == 0
    turned = motion((0, 0.12, 0), (0, 0, 1.0))
    assert motion_error(turned, known, depth).item() == pytest.approx(0.02, rel=1e-3)
    moved = motion((0, 0.1, 0), (0.3, 0, 1.0))
    assert motion_error(moved, known, depth).item() == pytest.approx(0.03, rel=1e-6)


def test_the_error_does_not_depend_on_the_unit_and_gradients_are_finite():
    known, depth = motion((0, 0.1, 0), (0.2, 0, 1.0)), torch.tensor([2.0, 20.0, 200.0, 5.0]).view(1, 1, 2, 2)
    predicted = motion((0.01, 0, 0), (0, 0, 0.5)).requires_grad_()
    error = motion_error(predicted, known, depth)
    error.backward()
    assert torch.isfinite(predicted.grad).all()
    for T in (known, predicted.data):
        T[:, :3, 3] *= 5.4
    assert motion_error(predicted, known, 5.4 * depth).item() == pytest.approx(error.item())
