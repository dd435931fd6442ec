# SPDX-License-Identifier: Apache-2.0
"""The objective: values, gradients, and the effect of its settings."""

import pytest
import torch

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.networks.disparity import depth_to_disparity
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.settings.schema import ConfigError
from monodepth_ros.training.objective import Objective, ObjectiveConfig
from monodepth_ros.training.prediction import KnownMotion, PredictedMotion, Prediction
from monodepth_ros.training.samples.batch import STEREO, TARGET, Batch

NEAREST, FARTHEST = 0.1, 100.0


def batch_of(images, K, **facts):
    return Batch(images, images, K, names=("sample",), **facts)


def exact(depth, motions, scales=(0,)):
    """A prediction of the exact depth (B, 1, H, W) and motion."""
    disparity = depth_to_disparity(depth.clamp(NEAREST, FARTHEST), NEAREST, FARTHEST)
    pyramid = {s: torch.nn.functional.avg_pool2d(disparity, 2**s) for s in scales}
    return Prediction(pyramid, {source: KnownMotion(T) for source, T in motions.items()})


def random_batch(size=1, dtype=torch.float64, sources=(-1, 1)):
    torch.manual_seed(0)
    images = {source: torch.rand(size, 3, 16, 24, dtype=dtype) for source in (TARGET, *sources)}
    K = torch.tensor([[20.0, 0, 11.5], [0, 20.0, 7.5], [0, 0, 1]], dtype=dtype).expand(size, 3, 3)
    return batch_of(images, K)


def test_identical_images_without_motion_have_zero_loss():
    batch = random_batch()
    batch = batch_of(dict.fromkeys(batch.images, batch.images[TARGET]), batch.K)
    still = {source: torch.eye(4, dtype=torch.float64)[None] for source in (-1, 1)}
    depth = torch.full((1, 1, 16, 24), 5.0, dtype=torch.float64)
    for automask in (False, True):
        loss = Objective(ObjectiveConfig(automask=automask))(batch, exact(depth, still))
        assert loss.total.abs() < 1e-4, loss.terms  # the noise that breaks ties is of that size


def test_true_depth_and_motion_have_the_lowest_loss(street):
    batch, depth, motions = street
    objective = Objective(ObjectiveConfig(smoothness=0.0))

    def cost(depth, motions=motions):
        return objective(batch, exact(depth, motions)).total.item()

    truth = cost(depth)
    wrong = {
        "nearer": cost(0.8 * depth),
        "farther": cost(1.25 * depth),
        "flat": cost(torch.full_like(depth, 10.0)),
        "other way": cost(depth, {source: motions[-source] for source in motions}),
    }
    # Without the auto-mask, which leaves out pixels that match without motion.
    objective = Objective(ObjectiveConfig(smoothness=0.0, automask=False))
    still = {source: torch.eye(4)[None] for source in motions}
    wrong["no motion"], compared = cost(depth, still), cost(depth)
    assert truth < 0.8 * min(wrong.values()), (truth, wrong)
    assert compared < 0.5 * wrong["no motion"], (compared, wrong)


@pytest.mark.parametrize("full_resolution", [True, False])
def test_every_scale_has_the_same_weight(street, full_resolution):
    batch, depth, motions = street
    objective = Objective(ObjectiveConfig(smoothness=0.0, full_resolution=full_resolution, automask=False))
    all_scales = exact(depth, motions, (0, 1, 2, 3))
    each = [
        objective(batch, Prediction({scale: all_scales.disparities[scale]}, all_scales.motions)).total
        for scale in range(4)
    ]
    assert objective(batch, all_scales).total.item() == pytest.approx(sum(each).item() / 4, rel=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        ObjectiveConfig(automask=False),
        ObjectiveConfig(automask=False, combination="average", full_resolution=False),
        ObjectiveConfig(automask=False, ssim_weight=0.0, smoothness=0.1),
        ObjectiveConfig(automask=False, velocity=0.5, depth_consistency=0.5),
        ObjectiveConfig(),
    ],
    ids=["minimum", "average, own resolution", "L1", "velocity and depth consistency", "monodepth2"],
)
@pytest.mark.parametrize("posecnn", [False, True])
def test_gradients_are_those_of_finite_differences(config, posecnn):
    batch = random_batch()
    # Smooth images, because finite differences are wrong at the kinks of bilinear sampling.
    v, u = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    images = {
        source: torch.stack([0.5 + 0.3 * torch.sin(0.31 * u + 0.23 * v + phase + 0.3 * source) for phase in (0, 1, 2)])[
            None
        ].double()
        for source in batch.images
    }
    batch = batch_of(images, batch.K, distances={source: torch.tensor([0.2]).double() for source in (-1, 1)})
    torch.manual_seed(1)
    logits = [(0.2 * torch.randn(1, 1, 16 >> s, 24 >> s, dtype=torch.float64) - 1.5).requires_grad_() for s in (0, 1)]
    pose = [
        (0.02 * torch.randn(1, 3, dtype=torch.float64) + shift).requires_grad_()
        for shift in (0.0, 0.05)
        for _ in (0, 1)
    ]

    def cost(first, second, *poses):
        prediction = Prediction(
            {0: first.sigmoid(), 1: second.sigmoid()},
            {
                source: PredictedMotion(poses[i], poses[2 + i], invert=source < 0, times_mean_inverse_depth=posecnn)
                for i, source in enumerate((-1, 1))
            },
            {source: (0.9 * first + 0.05).sigmoid() for source in (-1, 1)},
        )
        return Objective(config)(batch, prediction, generator=torch.Generator().manual_seed(0)).total

    assert torch.autograd.gradcheck(cost, (*logits, *pose), eps=1e-7, atol=2e-5, rtol=1e-2, fast_mode=True)


def test_velocity_supervision_pulls_the_motion_to_the_measured_length():
    batch = random_batch()
    for distances, expected in (({-1: 0.5, 1: 0.5}, 0.25), ({-1: 0.5, 1: float("nan")}, 0.125)):
        given = batch_of(batch.images, batch.K, distances={k: torch.tensor([v]).double() for k, v in distances.items()})
        still = torch.zeros(1, 3, dtype=torch.float64)
        forward = torch.tensor([[0.0, 0.0, -0.25]], dtype=torch.float64)
        prediction = Prediction(
            {0: torch.full((1, 1, 16, 24), 0.1, dtype=torch.float64)},
            {source: PredictedMotion(still, forward, source < 0) for source in (-1, 1)},
        )
        loss = Objective(ObjectiveConfig(velocity=1.0))(given, prediction)
        assert loss.terms["velocity"].item() == pytest.approx(expected)


def test_depth_consistency_is_zero_for_true_depth_and_positive_for_two_scales(street):
    batch, depth, _ = street
    objective = Objective(ObjectiveConfig(depth_consistency=1.0))
    flat = torch.full_like(depth, 12.0)
    still = {-1: PredictedMotion(torch.zeros(1, 3), torch.zeros(1, 3), True)}
    pair = batch_of({TARGET: batch.images[TARGET], -1: batch.images[-1]}, batch.K)
    costs = []
    for factor in (1.0, 2.0):
        disparity = depth_to_disparity(flat, NEAREST, FARTHEST)
        other = depth_to_disparity(factor * flat, NEAREST, FARTHEST)
        costs.append(objective(pair, Prediction({0: disparity}, still, {-1: other})).terms["depth_consistency"].item())
    assert costs == pytest.approx([0.0, 1 / 3], abs=1e-5)


@pytest.mark.parametrize("spoilt", ["depth", "motion"])
def test_values_that_are_not_finite_show_in_the_loss_only(street, spoilt):
    batch, depth, motions = street
    depth = depth.clone().requires_grad_()
    T = {source: T.clone() for source, T in motions.items()}
    if spoilt == "depth":
        depth.data[0, 0, 3, 5] = float("nan")
    else:
        T[1][0, 0, 3] = float("nan")
    loss = Objective(ObjectiveConfig(automask=False))(batch, exact(depth, T)).total
    assert torch.isnan(loss)
    loss.backward()


def test_affine_brightness_compensates_exposure_between_frames(street):
    batch, depth, motions = street
    brighter = {
        source: image if source == TARGET else (1.2 * image + 0.03).clamp(0, 1)
        for source, image in batch.images.items()
    }
    costs = {
        affine: Objective(ObjectiveConfig(smoothness=0.0, automask=False, affine_brightness=affine))(
            batch_of(brighter, batch.K), exact(depth, motions)
        ).total.item()
        for affine in (True, False)
    }
    assert costs[True] < 0.7 * costs[False], costs


def test_invalid_pixels_do_not_change_the_loss(street):
    batch, depth, motions = street
    hood = torch.ones_like(depth, dtype=torch.bool)
    hood[:, :, 70:] = False
    images = dict(batch.images)
    images[TARGET] = images[TARGET].clone()
    images[TARGET][:, :, 72:] = 0.0  # SSIM looks one pixel further
    config = ObjectiveConfig(smoothness=0.0, automask=False)
    clean = Objective(config)(batch_of(batch.images, batch.K, valid=hood), exact(depth, motions)).total
    spoilt = Objective(config)(batch_of(images, batch.K, valid=hood), exact(depth, motions)).total
    assert spoilt.item() == pytest.approx(clean.item(), rel=1e-6)


def test_the_stereo_partner_is_a_source_like_the_others(street):
    """A wall 10 m away, seen by two cameras 0.5 m apart: the disparity is f b / Z."""
    K = street[0].K
    shift = K[0, 0, 0].item() * 0.5 / 10.0
    u = torch.arange(320.0)
    pattern = lambda x: (0.5 + 0.4 * torch.sin(0.21 * x)).expand(1, 3, 96, 320)  # noqa: E731
    T = torch.eye(4)[None].clone()
    T[:, 0, 3] = -0.5  # a point of the left camera lies further left in the right one
    batch = batch_of({TARGET: pattern(u), STEREO: pattern(u + shift)}, K, known_motions={STEREO: T})
    costs = {
        depth: Objective(ObjectiveConfig(automask=False))(
            batch, exact(torch.full((1, 1, 96, 320), depth), {STEREO: T})
        ).total.item()
        for depth in (8.0, 10.0, 12.0)
    }
    assert costs[10.0] < 0.3 * min(costs[8.0], costs[12.0]), costs


def test_a_canonical_camera_explains_two_focal_lengths_with_one_depth():
    """A wall 12 m away through a lens of the training camera's focal length, and through one of 1.5 times it."""
    u = torch.arange(320.0)
    disparity = depth_to_disparity(torch.full((2, 1, 96, 320), 12.0), NEAREST, FARTHEST)
    disparity[1] = depth_to_disparity(torch.tensor(12.0 / 1.5), NEAREST, FARTHEST)  # looks 1.5 times as large
    images, K = {TARGET: [], 1: []}, []
    for focal in (180.0, 270.0):
        K.append(torch.tensor([[focal, 0, 159.5], [0, focal, 47.5], [0, 0, 1]]))
        for source, shift in ((TARGET, 0.0), (1, focal * 0.4 / 12.0)):
            images[source].append((0.5 + 0.4 * torch.sin(0.21 * (u + shift))).expand(3, 96, 320))
    batch = batch_of(
        {source: torch.stack(image) for source, image in images.items()},
        torch.stack(K),
        depth_factor=torch.tensor([1.0, 1.5]),
    )
    sideways = {1: PredictedMotion(torch.zeros(2, 3), torch.tensor([[-0.4, 0.0, 0.0]] * 2), False)}
    costs = {
        canonical: Objective(ObjectiveConfig(canonical_camera=canonical, automask=False))(
            batch, Prediction({0: disparity}, sideways)
        ).total.item()
        for canonical in (True, False)
    }
    assert costs[True] < 0.2 * costs[False], costs


def test_the_canonical_camera_matches_the_live_node():
    view = view_through(
        CameraModel.pinhole(640, 480, 900.0, 900.0, 319.5, 239.5), (0.58, 1.92, 0.5, 0.5), 640, 192, "area"
    )
    assert view.kind == "crop" and abs(view.depth_factor - 1) > 0.2
    motion = PredictedMotion(
        torch.tensor([[0.01, -0.02, 0.03]]).double(), torch.tensor([[0.1, 0.2, -0.5]]).double(), False
    )
    depth = torch.ones(1, 1, 2, 2).double()
    found = motion.for_focal_length(torch.tensor([view.depth_factor]).double()).matrix(depth)[0].numpy()
    assert found == pytest.approx(view.correct_motion(motion.matrix(depth)[0].numpy()), abs=1e-6)


@pytest.mark.parametrize(
    "conflict", [{"predictive_mask": True}, {"predictive_mask": True, "automask": False, "full_resolution": False}]
)
def test_settings_that_exclude_each_other_are_refused(conflict):
    with pytest.raises(ConfigError, match="objective.predictive_mask needs"):
        ObjectiveConfig(**conflict)


def test_the_loss_returns_pictures_for_the_report(street):
    batch, depth, motions = street
    pictures = Objective(ObjectiveConfig())(batch, exact(depth, motions), with_pictures=True).pictures
    assert set(pictures) == {"depth", "mask", "warped_-1", "warped_1"}
    assert (pictures["depth"] - depth.clamp(NEAREST, FARTHEST)).abs().max() < 0.1
    assert 0.3 < pictures["mask"].mean() < 1.0
