# SPDX-License-Identifier: Apache-2.0
"""The statuses of an offline run for /diagnostics, under the names that the node uses."""

from collections import deque

import numpy as np

from monodepth_ros.data.bags import messages
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.offline.frames import RunFrame, SourcePipeline
from monodepth_ros.pipeline.run_config import RunConfig

NODE = "depth_node"
PERIOD_NS = 1_000_000_000
RECENT = 100  # frames that the times per frame are taken of


class RunDiagnostics:
    """Once per second of the recording: the state of the camera and of the networks."""

    def __init__(self, config: RunConfig, run: SourcePipeline):
        self._config, self._run = config, run
        self._times: deque[float] = deque(maxlen=RECENT)
        self._last_ns: int | None = None
        self._processed = 0

    def after(self, frame: RunFrame) -> list[messages.Diagnosis]:
        """The statuses that are due after this frame; none in between."""
        self._processed += 1
        self._times.append(sum(frame.result.milliseconds.values()))
        received_ns = frame.source.received_ns
        if self._last_ns is not None and 0 <= received_ns - self._last_ns < PERIOD_NS:
            return []
        self._last_ns = received_ns
        return [self._camera(frame), self._networks()]

    def _camera(self, frame: RunFrame) -> messages.Diagnosis:
        result, run = frame.result, self._run
        scale = result.scale
        p50, p95 = np.percentile(self._times, (50, 95))
        state = _state_of(frame, run.pipeline.has_odometry)
        values = {
            "frames processed": str(self._processed),
            "frames left out": str(run.source.left_out.total()),
            "time per frame p50 [ms]": f"{p50:.1f}",
            "time per frame p95 [ms]": f"{p95:.1f}",
            "scale": scale.description,
            "scale state": scale.state.name.capitalize(),
            "odometry": state.name.replace("_", " ").capitalize(),
            "view": result.view.description,
        }
        if run.pipeline.has_odometry:
            values["odometry source"] = run.pipeline.motion_description
        problems = []
        if not scale.is_metric:
            problems.append("depth is relative: network units, not metres")
        elif not scale.is_known:
            problems.append(f"no depth until its scale is known: {scale.description}")
        if not result.view.is_calibrated:
            problems.append("the camera is not calibrated")
        if state is TrackingState.LOST:
            problems.append("odometry lost")
        return messages.Diagnosis(f"{NODE}: camera", run.engine.device, problems, values)

    def _networks(self) -> messages.Diagnosis:
        engine = self._run.engine
        values = {
            "engine": f"{engine.name} on {engine.device} ({engine.precision})",
            "checkpoint": str(self._config.checkpoint),
        }
        return messages.Diagnosis(f"{NODE}: networks", engine.device, [], values)


def _state_of(frame: RunFrame, has_odometry: bool) -> TrackingState:
    if frame.result.odometry is not None:
        return frame.result.odometry.state
    return TrackingState.NO_DATA if has_odometry else TrackingState.DISABLED
