# SPDX-License-Identifier: Apache-2.0
"""Augmentation: the same change in every frame of a sample."""

import colorsys

import pytest
import torch

from monodepth_ros.geometry.warp import warp
from monodepth_ros.training.samples.augmentation import AugmentationConfig, ColorJitter, augment, mirror
from monodepth_ros.training.samples.batch import STEREO, TARGET, Batch

K = torch.tensor([[40.0, 0, 18.25], [0, 42.0, 11.0], [0, 0, 1]])


def batch_of(size=4, sources=(-1, 1, STEREO)):
    torch.manual_seed(0)
    images = {source: torch.rand(size, 3, 24, 36) for source in (TARGET, *sources)}
    T = torch.eye(4).repeat(size, 1, 1)
    T[:, 0, 3] = -0.1
    valid = torch.ones(size, 1, 24, 36, dtype=torch.bool)
    valid[..., :5] = False
    return Batch(images, images, K.repeat(size, 1, 1), {STEREO: T}, valid=valid, names=tuple("abcd"[:size]))


def test_a_mirrored_sample_is_a_sample():
    """Warping and mirroring commute."""
    batch = batch_of(2)
    depth = 2 + torch.rand(2, 1, 24, 36)
    expected = warp(batch.images[STEREO], depth, batch.K, batch.known_motions[STEREO]).flip(-1)
    turned = mirror(batch, torch.tensor([True, True]))
    found = warp(turned.images[STEREO], depth.flip(-1), turned.K, turned.known_motions[STEREO])
    assert (found - expected).abs().max() < 1e-4
    assert torch.equal(turned.valid, batch.valid.flip(-1))


def test_only_the_samples_that_were_drawn_are_mirrored():
    batch = batch_of(4)
    turned = mirror(batch, torch.tensor([True, False, False, True]))
    for source, image in turned.images.items():
        assert torch.equal(image[1:3], batch.images[source][1:3])
        assert torch.equal(image[0], batch.images[source][0].flip(-1))
    assert turned.K[:, 0, 2].tolist() == [35 - 18.25, 18.25, 18.25, 35 - 18.25]
    assert turned.known_motions[STEREO][:, 0, 3].tolist() == pytest.approx([0.1, -0.1, -0.1, 0.1])
    assert turned.network_images is turned.images


def test_the_losses_never_see_jittered_colours_and_all_frames_share_one_draw():
    batch = batch_of(4)
    same = torch.rand(4, 3, 24, 36)
    batch = Batch(dict.fromkeys(batch.images, same), dict.fromkeys(batch.images, same), batch.K)
    found = augment(batch, AugmentationConfig(flip=0.0, jitter=1.0), torch.Generator().manual_seed(0))
    assert all(torch.equal(image, same) for image in found.images.values())
    jittered = list(found.network_images.values())
    assert all(torch.equal(image, jittered[0]) for image in jittered)
    changes = (jittered[0] - same).abs().mean(dim=(1, 2, 3))
    assert (changes > 0.005).all() and len(set(changes.tolist())) == 4, changes
    assert jittered[0].min() >= 0 and jittered[0].max() <= 1


def test_shares_of_changed_samples_are_as_configured():
    generator = torch.Generator().manual_seed(0)
    batch = batch_of(4, sources=())
    changed = mirrored = 0
    for _ in range(100):
        found = augment(batch, AugmentationConfig(flip=0.25, jitter=0.5), generator)
        mirrored += (found.K[:, 0, 2] != 18.25).sum().item()
        changed += ((found.network_images[TARGET] - found.images[TARGET]).abs().amax(dim=(1, 2, 3)) > 1e-3).sum().item()
    assert 70 <= mirrored <= 130 and 160 <= changed <= 240, (mirrored, changed)


def test_the_same_seed_gives_the_same_batch():
    found = [augment(batch_of(), AugmentationConfig(), torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(found[0].network_images[-1], found[1].network_images[-1])
    assert not torch.equal(found[0].network_images[-1], found[2].network_images[-1])


def jitter(**changes):
    neutral = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    values = {name: torch.tensor([value]) for name, value in (neutral | changes).items()}
    return ColorJitter(**values, order=(0, 1, 2, 3))


def test_each_colour_change_does_what_its_name_says():
    image = 0.2 + 0.4 * torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    gray = (image * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert (jitter()(image) - image).abs().max() < 1e-5
    assert (jitter(brightness=1.2)(image) - 1.2 * image).abs().max() < 1e-5
    assert (jitter(contrast=0.5)(image) - (gray.mean() + 0.5 * (image - gray.mean()))).abs().max() < 1e-5
    assert (jitter(saturation=0.0)(image) - gray).abs().max() < 1e-5


def test_hue_turns_colours_the_right_way_and_leaves_gray():
    red = torch.tensor([0.8, 0.3, 0.3]).view(1, 3, 1, 1)
    turned = jitter(hue=0.1)(red).flatten().tolist()
    hue, _, _ = colorsys.rgb_to_hsv(*turned)
    assert 0.05 < hue < 0.15, hue  # of YIQ, which divides the circle a little differently
    gray = torch.full((1, 3, 2, 2), 0.4)
    assert (jitter(hue=0.1)(gray) - gray).abs().max() < 1e-5
