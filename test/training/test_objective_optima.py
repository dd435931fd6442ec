# SPDX-License-Identifier: Apache-2.0
"""Optima of the objective: depth and scale found by gradient descent without a network."""

import pytest
import torch

from monodepth_ros.geometry.warp import transform_from_axis_angle
from monodepth_ros.networks.disparity import depth_to_disparity, disparity_to_depth
from monodepth_ros.training.objective import Objective, ObjectiveConfig
from monodepth_ros.training.prediction import KnownMotion, PredictedMotion, Prediction
from monodepth_ros.training.samples.batch import TARGET, Batch

NEAREST, FARTHEST = 0.1, 100.0


def batch_of(images, K, **facts):
    return Batch(images, images, K, names=("sample",), **facts)


def depth_by_descent(batch, motions, config, start, steps=150):
    """Depth by gradient descent on the disparity of every pixel, without a network."""
    logit = torch.logit(depth_to_disparity(start, NEAREST, FARTHEST)).requires_grad_()
    optimizer = torch.optim.Adam([logit], 0.02)
    objective = Objective(config)
    known = {source: KnownMotion(T) for source, T in motions.items()}
    for _ in range(steps):
        optimizer.zero_grad()
        objective(batch, Prediction({0: logit.sigmoid()}, known)).total.backward()
        optimizer.step()
    return disparity_to_depth(logit.detach().sigmoid(), NEAREST, FARTHEST)


def relative_error(found, truth, where):
    return ((found - truth).abs() / truth)[where].mean().item()


def test_the_auto_mask_keeps_a_car_ahead_from_being_infinitely_far(street):
    """A patch at the same place in all images looks like a car ahead at the same speed."""
    batch, depth, motions = street
    patch = torch.rand(1, 3, 7, 10, generator=torch.Generator().manual_seed(0))
    patch = torch.nn.functional.interpolate(patch, (28, 40), mode="bilinear")
    images = {source: image.clone() for source, image in batch.images.items()}
    for image in images.values():
        image[:, :, 50:78, 100:140] = patch
    start = torch.full_like(depth, 12.0)
    truth, car = start, torch.zeros_like(depth, dtype=torch.bool)
    car[:, :, 54:74, 104:136] = True
    errors = {
        automask: relative_error(
            depth_by_descent(batch_of(images, batch.K), motions, ObjectiveConfig(automask=automask), start), truth, car
        )
        for automask in (True, False)
    }
    assert errors[True] < 0.5 * errors[False], errors


def test_a_camera_at_rest_keeps_its_depth_with_the_auto_mask(street):
    batch, depth, _ = street
    noise = torch.Generator().manual_seed(0)
    images = {
        source: (batch.images[TARGET] + 0.01 * torch.randn(batch.images[TARGET].shape, generator=noise)).clamp(0, 1)
        for source in batch.images
    }
    # A pose network that has not learned to predict rest yet.
    T = transform_from_axis_angle(torch.zeros(1, 3), torch.tensor([[0.0, 0.0, -0.3]]))
    motions = {-1: torch.linalg.inv(T), 1: T}
    start = depth.clamp(2.0, 60.0)
    everywhere = torch.ones_like(depth, dtype=torch.bool)
    errors = {
        automask: relative_error(
            depth_by_descent(batch_of(images, batch.K), motions, ObjectiveConfig(automask=automask), start),
            start,
            everywhere,
        )
        for automask in (True, False)
    }
    assert errors[True] < 0.5 * errors[False], errors


def test_minimum_reprojection_is_right_where_a_source_is_hidden():
    """A post at 4 m hides each part of the wall at 12 m beside it from one of the sources."""
    K = torch.tensor([[160.0, 0, 79.5], [0, 160.0, 23.5], [0, 0, 1]])[None]
    baseline = 0.5
    generator = torch.Generator().manual_seed(0)
    textures = [
        torch.nn.functional.interpolate(
            torch.rand(1, 3, 16, 120, generator=generator), (48, 480), mode="bicubic"
        ).clamp(0, 1)
        for _ in range(2)
    ]

    def view(x):
        """From a camera at x metres to the right."""
        u = torch.arange(160.0)
        image = None
        for texture, distance in zip(textures, (12.0, 4.0), strict=True):
            at = u + 160.0 * x / distance
            grid = torch.stack(((at + 160) / 479 * 2 - 1, torch.zeros_like(at)), -1).expand(48, 160, 2).clone()
            grid[..., 1] = torch.linspace(-1, 1, 48)[:, None]
            layer = torch.nn.functional.grid_sample(texture, grid[None], align_corners=True)
            post = ((at > 64) & (at < 96)).expand(48, 160)
            image = layer if image is None else torch.where(post, layer, image)
        return image

    u = torch.arange(160.0)
    truth = torch.where((u > 64) & (u < 96), 4.0, 12.0).expand(1, 1, 48, 160).contiguous()
    motions = {}
    for source, x in ((-1, -baseline), (1, baseline)):
        T = torch.eye(4)[None].clone()
        T[:, 0, 3] = -x
        motions[source] = T
    batch = batch_of({TARGET: view(0.0), -1: view(-baseline), 1: view(baseline)}, K)
    hidden = torch.zeros_like(truth, dtype=torch.bool)
    hidden[..., 54:64] = hidden[..., 97:107] = True
    errors = {}
    for combination in ("minimum", "average"):
        config = ObjectiveConfig(combination=combination, automask=False)
        errors[combination] = relative_error(depth_by_descent(batch, motions, config, truth), truth, hidden)
    assert errors["minimum"] < 0.5 * errors["average"], errors


def scale_by_descent(batch, depth, motions, config, start, steps=60):
    """Common scale of depth and motion, which images do not determine, by gradient descent."""
    depth = depth.clamp(max=60.0)
    log_scale = torch.tensor(start).log().requires_grad_()
    optimizer = torch.optim.Adam([log_scale], 0.05)
    for _ in range(steps):
        scale = log_scale.exp()
        disparity = depth_to_disparity((scale * depth).clamp(NEAREST, FARTHEST), NEAREST, FARTHEST)
        moved = {
            source: PredictedMotion(torch.zeros(1, 3), scale * T[:, :3, 3], invert=False)
            for source, T in motions.items()
        }
        optimizer.zero_grad()
        Objective(config)(batch, Prediction({0: disparity}, moved)).total.backward()
        optimizer.step()
    return log_scale.exp().item()


def test_velocity_supervision_makes_depth_metric(street):
    """Starting at half the true scale, images alone leave it there; the driven distance corrects it."""
    batch, depth, motions = street
    distances = {source: T[:, :3, 3].norm(dim=1) for source, T in motions.items()}
    straight = {source: T.clone() for source, T in motions.items()}
    batch = batch_of(batch.images, batch.K, distances=distances)
    found = {
        weight: scale_by_descent(batch, depth, straight, ObjectiveConfig(velocity=weight, smoothness=0.0), 0.5)
        for weight in (0.0, 1.0)
    }
    assert abs(found[1.0] - 1) < 0.05 and found[0.0] < 0.85, found


def test_depth_consistency_gives_neighbouring_frames_one_scale(street):
    """The source's depth starts at twice the true scale, which only its consistency with the target's reveals."""
    batch, depth, _ = street
    pair = batch_of({TARGET: batch.images[TARGET], 1: batch.images[1]}, batch.K)
    still = {1: PredictedMotion(torch.zeros(1, 3), torch.zeros(1, 3), False)}
    disparity = depth_to_disparity(depth.clamp(1.0, 60.0), NEAREST, FARTHEST)
    found = {}
    for weight in (0.0, 1.0):
        log_scale = torch.tensor(2.0).log().requires_grad_()
        optimizer = torch.optim.Adam([log_scale], 0.05)
        for _ in range(60):
            other = depth_to_disparity(
                (log_scale.exp() * depth.clamp(1.0, 60.0)).clamp(NEAREST, FARTHEST), NEAREST, FARTHEST
            )
            optimizer.zero_grad()
            loss = Objective(ObjectiveConfig(depth_consistency=weight))(
                pair, Prediction({0: disparity}, still, {1: other})
            )
            (loss.total + 0 * log_scale).backward()
            optimizer.step()
        found[weight] = log_scale.exp().item()
    assert abs(found[1.0] - 1) < 0.05 and found[0.0] == pytest.approx(2.0), found
