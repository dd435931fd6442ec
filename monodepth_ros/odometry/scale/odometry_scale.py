# SPDX-License-Identifier: Apache-2.0
"""Scale from the robot's own odometry: wheels, GNSS, LiDAR."""

from collections import deque

import numpy as np

from monodepth_ros.odometry.scale.factor_window import FactorWindow
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleKind, ScaleSource, ScaleState, SeenMotion
from monodepth_ros.odometry.scale.travel_log import TravelLog

# Error that averaging does not remove: tyres, and the network's motion.
SYSTEMATIC = 0.02
# Lowest speed at which motions are compared; below it they consist of errors [m/s].
MIN_SPEED = 0.1
# In sharper turns, the path of a camera a metre or so off the robot's axle differs from the robot's [rad/m].
MAX_TURN = 0.15
# The same if the camera's place on the robot is known: in sharper turns, translation is mostly error [rad/m].
MAX_TURN_OF_CAMERA = 1.0
# Length of the pieces of the path that are compared [m]: single steps are too noisy.
PIECE = 0.5
# Longest time of a piece [s].
HELD_AFTER = PIECE / MIN_SPEED
# Maximum number of steps that wait for the odometry's messages.
MAX_WAITING = 100


class OdometryScale(ScaleSource):
    """Ratio of the robot's path in metres to the camera's in network units, over pieces of the path.

    Standstill is left out, and so are turns, unless the camera's place on the robot is known. travel: the robot's
    odometry, filled by the caller.
    """

    needs_motion = True

    def __init__(self, travel: TravelLog, time_constant: float):
        self._travel = travel
        self._window = FactorWindow(time_constant, SYSTEMATIC, HELD_AFTER)
        self._waiting: deque[SeenMotion] = deque(maxlen=MAX_WAITING)
        self._forget_piece()

    def _forget_piece(self) -> None:
        self._metres = self._units = 0.0

    def observe_motion(self, motion: SeenMotion) -> None:
        self._window.advance(motion.stop_ns)
        if self._waiting and motion.stop_ns <= self._waiting[-1].stop_ns:
            self._waiting.clear()  # time went back
        self._waiting.append(motion)
        while self._waiting and self._travel.reaches(self._waiting[0].stop_ns):
            self._compare(self._waiting.popleft())

    def _compare(self, motion: SeenMotion) -> None:
        travelled = self._travel.between(motion.start_ns, motion.stop_ns)
        units = float(np.linalg.norm(motion.T_start_stop[:3, 3]))
        if travelled is None or not np.isfinite(units):
            self._forget_piece()
            return
        metres, angle = travelled
        seconds = (motion.stop_ns - motion.start_ns) * 1e-9
        max_turn = MAX_TURN_OF_CAMERA if self._travel.is_of_camera else MAX_TURN
        if metres < MIN_SPEED * seconds or angle > max_turn * metres:
            self._forget_piece()
            return
        self._metres += metres
        self._units += units
        if self._metres >= PIECE and self._units > 0:
            self._window.measure(motion.stop_ns, self._metres / self._units, weight=1.0)
            self._forget_piece()

    def estimate(self) -> ScaleEstimate:
        window = self._window
        if not window.factor > 0:
            text = "odometry: nothing to compare yet (it needs both odometries, and a straight piece of path)"
            return ScaleEstimate(window.factor, ScaleKind.ODOMETRY, text, state=ScaleState.WAITING)
        state = ScaleState.HELD if window.is_held else ScaleState.MEASURED
        held = ", held: nothing to compare now" if window.is_held else ""
        text = f"odometry: {window.factor:.4g} m per network unit +- {100 * window.uncertainty:.0f} %{held}"
        return ScaleEstimate(window.factor, ScaleKind.ODOMETRY, text, window.uncertainty, state)
