# SPDX-License-Identifier: Apache-2.0
"""Scale from the known distance to a second camera."""

import math
from collections import deque

import numpy as np

from monodepth_ros.odometry.scale.factor_window import FactorWindow
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleKind, ScaleSource, ScaleState, SeenDepth
from monodepth_ros.odometry.scale.stereo_images import WAITING, StereoImages, TimedImage
from monodepth_ros.odometry.scale.stereo_view import StereoError, StereoView

# Error that averaging does not remove: near and far things have different errors of the network.
SYSTEMATIC = 0.03
# The same of a calibration [pixels of disparity].
DISPARITY_ERROR = 0.2
HELD_AFTER = 1.0  # [s]
# Number of compared pixels for a measurement, and for one of full weight.
ENOUGH = 200
MANY = 2000


class StereoScale(ScaleSource):
    """Ratio of the depth in metres, triangulated from two cameras, to the network's depth, at textured pixels.

    images: those of both cameras, filled by the caller.
    """

    needs_depth = True
    needs_pairs = True

    def __init__(self, images: StereoImages, time_constant: float):
        self._images = images
        self._window = FactorWindow(time_constant, SYSTEMATIC, HELD_AFTER)
        self._seen: deque[SeenDepth] = deque(maxlen=WAITING)
        self._view: StereoView | None = None
        self._view_key: tuple | None = None
        self._disparity = math.nan
        self._problem = ""

    def observe_depth(self, depth: SeenDepth) -> None:
        self._window.advance(depth.stamp_ns)
        if self._seen and depth.stamp_ns <= self._seen[-1].stamp_ns:
            self._seen.clear()  # time went back
        self._seen.append(depth)
        # The newest first: once it is compared, the others are too old.
        for seen in reversed(self._seen):
            pair = self._images.take(seen.stamp_ns)
            if pair is not None:
                self._compare(seen, *pair)
                return

    def _compare(self, seen: SeenDepth, own: TimedImage, partner: TimedImage) -> None:
        view = self._view_of(seen, own, partner)
        if view is None:
            return
        found = view.measure(own.pixels, partner.pixels)
        factors = found.depth * seen.inverse_depth[found.rows, found.columns]
        usable = np.isfinite(factors) & (factors > 0)
        count = np.count_nonzero(usable)
        self._problem = "" if count >= ENOUGH else "too little is found in both images"
        if self._problem:
            return
        self._disparity = float(np.median(found.disparity[usable]))
        self._window.measure(seen.stamp_ns, float(np.median(factors[usable])), min(1.0, count / MANY))

    def _view_of(self, seen: SeenDepth, own: TimedImage, partner: TimedImage) -> StereoView | None:
        place = self._images.place()
        if place is None:
            self._problem = (
                "the place of the partner is unknown: its camera_info (P[0,3]) states no baseline, and TF does not "
                "connect the two cameras"
            )
            return None
        key = (seen.camera.key, own.camera.key, partner.camera.key, place.tobytes())
        if key != self._view_key:
            self._view, self._view_key = None, key
            try:
                self._view = StereoView(seen.camera, own.camera, partner.camera, place)
            except StereoError as error:
                self._problem = str(error)
        return self._view

    def estimate(self) -> ScaleEstimate:
        window = self._window
        if not window.factor > 0:
            reason = self._problem or (
                "no two images of one moment yet" if self._images.has_partner else "no image of the other camera yet"
            )
            return ScaleEstimate(window.factor, ScaleKind.STEREO, f"stereo: {reason}", state=ScaleState.WAITING)
        uncertainty = math.hypot(window.uncertainty, DISPARITY_ERROR / self._disparity)
        state = ScaleState.HELD if window.is_held else ScaleState.MEASURED
        held = f", held: {self._problem or 'no two images of one moment'}" if window.is_held else ""
        text = f"stereo: {window.factor:.4g} m per network unit +- {100 * uncertainty:.0f} %{held}"
        return ScaleEstimate(window.factor, ScaleKind.STEREO, text, uncertainty, state)
