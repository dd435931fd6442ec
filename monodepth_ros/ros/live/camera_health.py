# SPDX-License-Identifier: Apache-2.0
"""The diagnostics of one camera."""

from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.ros.live import counters
from monodepth_ros.ros.live.camera_stream import CameraStream
from monodepth_ros.ros.live.counters import FrameCounters
from monodepth_ros.ros.live.diagnostics import Health

ODOMETRY_STATES = {
    TrackingState.NO_DATA: "No data",
    TrackingState.TRACKING: "Tracking",
    TrackingState.LOST: "Lost",
    TrackingState.DISABLED: "Disabled",
}


def camera_health(stream: CameraStream) -> Health:
    """Values and problems of a camera, for /diagnostics."""
    values = frame_values(stream.counters)
    values |= {"images": stream.intake.description} if stream.intake.description else {}
    left_out = stream.intake.left_out
    values |= {"frames of other cameras": str(left_out)} if left_out else {}
    scale = stream.scale
    values["scale"], values["scale state"] = scale.description, scale.state.name.capitalize()
    seconds = stream.seconds_since_frame
    values |= {} if seconds is None else {"last frame": f"{seconds:.1f} s ago"}
    values["odometry"] = ODOMETRY_STATES[stream.odometry_state]
    if stream.is_stale and stream.odometry_state is TrackingState.NO_DATA:
        values["odometry"] += f" for {seconds:.0f} s"
    values |= {"odometry source": stream.motion_source} if stream.motion_source else {}
    values |= {"odometry of": stream.base_description} if stream.base_description else {}
    values |= {"gyro": stream.gyro_description} if stream.gyro_description else {}
    values |= {"view": stream.view_description} if stream.view_description else {}
    health = Health(f"camera {stream.name}".rstrip(), stream.engine.device, values=values)
    if not scale.is_metric:
        health.warn("depth is relative: network units, not metres")
    elif not scale.is_known:
        health.warn(f"no depth until its scale is known: {scale.description}")
    if not stream.config.enabled:
        health.warn("switched off (~/enable)")
    else:
        silence = stream.intake.silence()
        if silence:
            stream.problems.note("silence", silence)
        else:
            stream.problems.forget("silence")
        stream.intake.note_publishers()
    for problem in stream.problems.current():
        (health.error if problem.is_error else health.warn)(problem.message)
    if stream.odometry_state is TrackingState.LOST:
        health.warn("odometry lost")
    return health


def frame_values(counts: FrameCounters) -> dict[str, str]:
    """Frames by fate, rates and latencies as text."""
    values = {name.replace("_", " "): str(number) for name, number in counts.counts().items()}
    values["rate in [Hz]"] = f"{counts.rate(counters.RECEIVED):.1f}"
    values["rate out [Hz]"] = f"{counts.rate(counters.PROCESSED):.1f}"
    p50, p95 = counts.latency_percentiles()
    values["latency p50 [ms]"], values["latency p95 [ms]"] = f"{p50:.1f}", f"{p95:.1f}"
    return values
