# SPDX-License-Identifier: Apache-2.0
"""Parts of the synthetic world: street coordinates, noise, reduced textures, meshes."""

import numpy as np
import pytest

from monodepth_ros.synthetic.atlas import Atlas, Texture
from monodepth_ros.synthetic.masks import reductions
from monodepth_ros.synthetic.mesh import block, placed
from monodepth_ros.synthetic.noise import fractal_noise
from monodepth_ros.synthetic.road import PIECE, Road


@pytest.mark.parametrize("seed", range(4))
def test_conversions_to_and_from_street_coordinates_are_inverse(seed):
    road = Road.generate(np.random.default_rng(seed), 600)
    for reach, tolerance in ((8, 0.03), (20, 0.1)):  # one texel is 0.04 m long
        s, n = np.meshgrid(np.arange(5, 590, 3.7), np.linspace(-reach, reach, 21))
        x, y = road.to_world(s.ravel(), n.ravel())
        s_back, n_back = road.to_road(x.astype(np.float32), y.astype(np.float32))
        along, across = np.abs(s_back - s.ravel()).max(), np.abs(n_back - n.ravel()).max()
        assert max(along, across) < tolerance, f"{along:.4f} m along, {across:.4f} m across within {reach} m"


def test_bends_are_wide_and_the_street_never_turns_back():
    for seed in range(20):
        road = Road.generate(np.random.default_rng(seed), 1500)
        assert np.abs(road.curvature).max() <= 1 / 45 + 1e-9
        assert np.abs(road.headings).max() < np.radians(100), f"seed {seed} turns back"
        assert road.length == pytest.approx(1500, abs=PIECE)


def test_the_heading_is_the_direction_of_the_curve():
    road = Road.generate(np.random.default_rng(1), 400)
    s = np.arange(10, 390, 1.3)
    x0, y0 = road.to_world(s - 1e-4, np.zeros_like(s))
    x1, y1 = road.to_world(s + 1e-4, np.zeros_like(s))
    assert np.arctan2(y1 - y0, x1 - x0) == pytest.approx(road.heading(s), abs=1e-4)


def test_noise_repeats_without_a_seam():
    noise = fractal_noise(np.random.default_rng(0), 128, 256, (4, 8), 4)
    inside = np.abs(np.diff(noise, axis=1)).mean()
    seam = np.abs(noise[:, 0] - noise[:, -1]).mean()
    assert seam < 2 * inside, f"step at the seam {seam:.3f}, elsewhere {inside:.3f}"
    assert noise.std() == pytest.approx(1, abs=1e-3) and abs(noise.mean()) < 1e-4


def test_reduced_textures_are_means_of_their_own_pixels():
    rng = np.random.default_rng(0)
    textures = [
        Texture(rng.integers(0, 255, (h, w, 3), np.uint8), (1.0, 1.0)) for h, w in ((64, 128), (32, 32), (256, 64))
    ]
    atlas = Atlas(textures)
    rows, columns = atlas.sheet.shape[:2]
    for texture, (x, y, w, h) in zip(textures, atlas.rectangles.astype(int), strict=True):
        for i, j in ((0, 0), (2, 0), (0, 3), (3, 2)):
            c0, r0 = columns - (columns >> i) + (x >> i), rows - (rows >> j) + (y >> j)
            stored = atlas.sheet[r0 : r0 + (h >> j), c0 : c0 + (w >> i)].astype(float)
            means = texture.pixels.reshape(h >> j, 1 << j, w >> i, 1 << i, 3).mean(axis=(1, 3))
            assert np.abs(stored - means).max() < 3, f"level {i}, {j} is off by {np.abs(stored - means).max():.1f}"


def test_the_density_of_foliage_is_preserved_by_reduction():
    noise = fractal_noise(np.random.default_rng(0), 128, 128, (16, 16), 3)
    alpha = np.where(noise > 0.4, 255, 0).astype(np.uint8)
    share = (alpha >= 128).mean()
    for level, threshold in reductions(alpha)[:5]:
        assert (level >= threshold).mean() == pytest.approx(share, abs=0.06), f"at {level.shape}"


def test_the_faces_of_a_placed_block_look_outwards_and_keep_their_distances():
    mesh = placed(block((0, 0, 0), (2, 3, 4), sides=0, top=0, bottom=0), 10, 20, heading=0.7)
    center = mesh["corners"].mean(axis=(0, 1))
    outward = np.einsum("ij,ij->i", mesh["corners"].mean(axis=1) - center, mesh["normal"])
    assert sorted(outward.round(6)) == [1, 1, 1.5, 1.5, 2, 2]
