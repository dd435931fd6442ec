# SPDX-License-Identifier: Apache-2.0
"""Intrinsics from exact tracks: derivatives, convergence, uncertainty, and motions that do not determine them."""

from dataclasses import replace

import numpy as np
import pytest
from exact_tracks import LENS, PINHOLE, STRAIGHT, TURN, tracks

from monodepth_ros.calibration.adjustment import Part, adjust
from monodepth_ros.calibration.estimate import CalibrationFailed, estimate_lens
from monodepth_ros.calibration.lens import Lens, project
from monodepth_ros.calibration.lens_prior import lens_prior
from monodepth_ros.calibration.reconstruction import reconstruct
from monodepth_ros.calibration.reduction import moved
from monodepth_ros.calibration.sightings import errors, linearize
from monodepth_ros.calibration.summary import refusal

SIZE = (LENS.width, LENS.height)


def test_the_lens_projects_as_the_camera_model_does():
    rays = np.random.default_rng(1).uniform(-0.5, 0.5, (50, 2))
    pixels, _, _ = project(LENS, *rays.T)
    expected = LENS.camera().project(np.column_stack([rays, np.ones(50)]))
    assert np.allclose(pixels.T, expected, atol=1e-9)
    assert np.allclose(LENS.rays(expected), rays, atol=1e-9)


@pytest.mark.parametrize("what", ["pose", "point", "lens"])
def test_derivatives_agree_with_differences(what):
    segment, _ = tracks(LENS, TURN, frames=6, points=40)
    structure = reconstruct(segment, LENS)
    seen = linearize(segment, structure, LENS)
    derivatives = {"pose": seen.by_pose, "point": seen.by_point, "lens": seen.by_lens}[what]
    for number, derivative in enumerate(derivatives):
        ends = []
        for side in (1e-6, -1e-6):
            steps = np.zeros((segment.frames, 6)), np.zeros((segment.points, 3))
            lens_step = np.zeros(8)
            {"pose": steps[0], "point": steps[1], "lens": lens_step}[what][..., number] = side
            ends.append(linearize(segment, moved(structure, *steps), LENS.moved(lens_step)).residual)
        difference = (ends[0] - ends[1]) / 2e-6
        scale = np.abs(derivative).max()
        assert np.abs(difference - derivative).max() < 1e-5 * scale, (what, number)


@pytest.mark.parametrize("lens", [LENS, PINHOLE])
def test_exact_tracks_give_the_exact_lens(lens):
    segment, _ = tracks(lens, TURN)
    start = Lens.centred(*SIZE, np.radians(80))
    part = Part(segment, reconstruct(segment, start))
    adjusted = adjust([part], start, lens_prior(*SIZE, "free", terms=3), width=5.0, noise=1e-3, iterations=60)
    found = adjusted.lens.parameters - lens.parameters
    assert np.median(adjusted.errors()) < 1e-3
    assert np.abs(found).max() < 0.02, f"{adjusted.lens} for {lens}"


@pytest.mark.parametrize("lens", [LENS, PINHOLE])
def test_the_estimate_is_right_within_its_uncertainty(lens):
    found = []
    for seed in range(2):
        segment, _ = tracks(lens, TURN, noise=0.2, seed=seed)
        estimate = estimate_lens([segment], SIZE)
        found.append(np.log(estimate.lens.focal / lens.focal) / estimate.sigma[0])
        assert estimate.sigma[0] < 0.03, estimate
        assert abs(estimate.lens.focal / lens.focal - 1) < 0.03, estimate
        assert not refusal(estimate)
        assert (estimate.terms > 0) == (lens.k1 != 0), estimate
    assert np.abs(found).max() < 3.0, f"errors in standard deviations: {np.round(found, 2)}"


def test_moving_objects_do_not_matter():
    segment, _ = tracks(LENS, TURN, noise=0.1)
    # A fifth of the points moves to the right by itself.
    pixel = segment.pixel.copy()
    moves = segment.point % 5 == 0
    pixel[moves, 0] += 2.5 * segment.frame[moves]
    estimate = estimate_lens([replace(segment, pixel=pixel)], SIZE)
    assert abs(estimate.lens.focal / LENS.focal - 1) < 0.03, estimate


def test_several_segments_are_better_than_one():
    segments = [tracks(LENS, TURN, noise=0.2, seed=seed)[0] for seed in range(3)]
    one, all_of_them = estimate_lens(segments[:1], SIZE), estimate_lens(segments, SIZE)
    assert all_of_them.sigma[1] < one.sigma[1], (one, all_of_them)


def test_a_straight_drive_is_refused():
    segment, _ = tracks(PINHOLE, STRAIGHT, noise=0.2)
    estimate = estimate_lens([segment], SIZE)
    reason = refusal(estimate)
    assert "straight ahead" in reason, estimate
    assert "moves or reflects" in refusal(replace(estimate, turn=0.5))


def test_a_fixed_centre_and_no_terms_stay_what_they_are():
    segment, _ = tracks(PINHOLE, TURN, noise=0.2)
    estimate = estimate_lens([segment], SIZE, centre="fixed", terms=0)
    assert (estimate.lens.cx, estimate.lens.cy, estimate.lens.k1) == (319.5, 239.5, 0.0)
    assert not estimate.sigma[1:].any()


def test_no_tracks_and_random_tracks_fail_in_one_line():
    with pytest.raises(CalibrationFailed, match="too few corners"):
        estimate_lens([], SIZE)
    segment, _ = tracks(PINHOLE, TURN)
    random = np.random.default_rng(0).uniform(0, 480, segment.pixel.shape)
    with pytest.raises(CalibrationFailed, match="no lens explains"):
        estimate_lens([replace(segment, pixel=random)], SIZE)


def test_a_resized_image_has_the_resized_lens():
    segment, _ = tracks(LENS, TURN)
    structure = reconstruct(segment, LENS)
    doubled = replace(segment, pixel=2.0 * (segment.pixel + 0.5) - 0.5)
    now, before = (
        errors(*pair) for pair in ((doubled, structure, LENS.resized(1280, 960)), (segment, structure, LENS))
    )
    assert np.allclose(now, 2.0 * before, atol=1e-6)
