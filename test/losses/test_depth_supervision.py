# SPDX-License-Identifier: Apache-2.0
"""Errors against sparse reference depth have their published values, and no gradient where there is no reference."""

import math

import pytest
import torch

from monodepth_ros.losses.depth_supervision import at_points, depth_error

NAN = math.nan


def test_silog_is_that_of_eigen_2014():
    # Logarithmic differences ln 2, 0 and ln 2: mean of squares 2/3 ln2^2, mean 2/3 ln2.
    error = depth_error(torch.tensor([[2.0, 3.0, 8.0, 5.0]]), torch.tensor([[1.0, 3.0, 4.0, NAN]]), "silog")
    assert error.item() == pytest.approx((2 / 3 - 0.5 * 4 / 9) * math.log(2) ** 2, rel=1e-6)


def test_l1_of_inverse_depth_is_a_share_of_the_mean_inverse_reference():
    error = depth_error(torch.tensor([[2.0, 4.0, 9.0]]), torch.tensor([[1.0, 4.0, NAN]]), "l1")
    assert error.item() == pytest.approx(0.5 / 1.25)
    metres, millimetres = torch.tensor([[2.0, 4.0]]), torch.tensor([[1.0, 5.0]])
    assert depth_error(metres, millimetres, "l1") == pytest.approx(
        depth_error(1e3 * metres, 1e3 * millimetres, "l1").item(), rel=1e-5
    )


@pytest.mark.parametrize("kind", ["silog", "l1"])
def test_the_gradient_points_to_the_reference_and_is_zero_elsewhere(kind):
    depth = torch.tensor([[2.0, 2.0, 2.0, 2.0], [3.0, 3.0, 3.0, 3.0]], requires_grad=True)
    reference = torch.tensor([[1.0, NAN, 8.0, math.inf], [NAN, NAN, NAN, NAN]])
    depth_error(depth, reference, kind).backward()
    gradient = depth.grad
    assert gradient[0, 0] > 0 > gradient[0, 2], gradient
    assert (gradient[0, [1, 3]] == 0).all() and (gradient[1] == 0).all(), gradient


@pytest.mark.parametrize("kind", ["silog", "l1"])
def test_a_batch_without_reference_has_no_error(kind):
    depth = torch.ones(2, 3, requires_grad=True)
    error = depth_error(depth, torch.full((2, 3), NAN), kind)
    error.backward()
    assert error.item() == 0 and (depth.grad == 0).all()


def test_images_with_many_and_with_few_points_count_the_same():
    depth = torch.full((2, 4), 2.0)
    reference = torch.tensor([[1.0, 1.0, 1.0, 1.0], [4.0, NAN, NAN, NAN]])
    expected = (depth_error(depth[:1], reference[:1]) + depth_error(depth[1:], reference[1:])) / 2
    assert depth_error(depth, reference).item() == pytest.approx(expected.item())


def test_points_take_the_value_of_their_place_at_every_scale():
    rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(8.0), indexing="ij")
    image = (10 * rows + columns)[None, None]
    points = torch.tensor([[[3.0, 2.25, NAN], [2.0, 1.5, NAN]]])
    found = at_points(image, points, (4, 8))
    assert found[0, :2].tolist() == pytest.approx([23.0, 17.25]) and found.isfinite().all()
    halved = torch.nn.functional.avg_pool2d(image, 2)
    assert at_points(halved, points, (4, 8))[0, :2].tolist() == pytest.approx([23.0, 17.25])
