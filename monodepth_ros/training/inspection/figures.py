# SPDX-License-Identifier: Apache-2.0
"""Figures of an inspection: plain numbers and texts in SI units, for the terminal and for JSON."""

from typing import Any

import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.frame_index import FrameIndex
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource, SourceOptions
from monodepth_ros.data.sources.stereo_partner import stereo_partner
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.inspection.frame_scan import FrameScan
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.dataset import TrainingRecording
from monodepth_ros.training.samples.targets import GAP

UNSTEADY = 0.2  # relative deviation from the usual interval


def camera_figures(camera: CameraModel) -> dict[str, Any]:
    """Size [pixels], intrinsics [pixels], distortion and field of view [degrees] of the image as published.

    Without a calibration: size, and the horizontal field of view that is assumed.
    """
    figures: dict[str, Any] = {
        "width": camera.width,
        "height": camera.height,
        "calibrated": camera.is_calibrated,
    }
    if not camera.is_calibrated:
        figures["assumed_field_of_view"] = camera.field_of_view
    if camera.is_calibrated:
        figures |= {
            "fx": camera.fx,
            "fy": camera.fy,
            "cx": camera.cx,
            "cy": camera.cy,
            "skew": camera.skew,
            "rectified": camera.is_rectified,
        }
        figures |= {
            "distortion_model": camera.distortion_model if camera.D.any() else "none",
            "D": camera.D.tolist(),
        }
        across = (
            ((-0.5, camera.cy), (camera.width - 0.5, camera.cy)),
            ((camera.cx, -0.5), (camera.cx, camera.height - 0.5)),
        )
        for name, ends in zip(("horizontal_field_of_view", "vertical_field_of_view"), across):
            rays = camera.backproject(np.array(ends, np.float64), np.ones(2))
            rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
            figures[name] = float(np.degrees(np.arccos(np.clip(rays[0] @ rays[1], -1, 1))))
    return figures


def topic_figures(path: str, source: FrameSource) -> list[dict[str, Any]]:
    """Every topic of a bag, with the use of those that are read; empty for other sources."""
    if not isinstance(source, BagSource):
        return []
    stream = source.stream
    with Recording(path) as recording:
        topics = [{"name": t.name, "type": t.type, "count": t.count} for t in recording.topics.values()]
    for topic in topics:
        if topic["name"] in (stream.image, stream.camera_info):
            topic["use"] = "image" if topic["name"] == stream.image else "calibration"
    return topics


def view_figures(recording: TrainingRecording, networks: NetworksConfig) -> dict[str, Any]:
    """The networks' input [pixels], whether its size follows a camera, and the share of the images that it shows."""
    clip = recording.clip
    frames = np.bincount(clip.index.camera_ids, minlength=len(clip.views))
    coverage = np.average([view.image_coverage for view in clip.views], weights=frames)
    return {
        "width": clip.size[0],
        "height": clip.size[1],
        "follows_camera": not (networks.width or networks.height),
        "image_coverage": float(coverage),
    }


def timing_figures(index: FrameIndex) -> dict[str, Any]:
    """Frames, duration [s], rate [Hz], gaps, and shares of irregular intervals."""
    intervals = np.diff(index.stamps_ns) * 1e-9
    usual = index.interval
    seconds = (index.stamps_ns - index.stamps_ns[0]) * 1e-9
    gaps = np.flatnonzero(intervals > GAP * usual) if len(intervals) else np.array([], int)
    return {
        "frames": len(index),
        "duration": float(seconds[-1]),
        "rate": 1.0 / usual if usual > 0 else float("nan"),
        "unsteady_share": float(np.mean(np.abs(intervals / usual - 1) > UNSTEADY)) if len(intervals) else 0.0,
        "gaps": [{"at": float(seconds[gap]), "seconds": float(intervals[gap])} for gap in gaps],
        "missing_frames": int(sum(round(intervals[gap] / usual) - 1 for gap in gaps)),
    }


def motion_figures(index: FrameIndex, step: int) -> dict[str, Any]:
    """Median image motion per frame and per step [share of the width]."""
    flow = index.flow[np.isfinite(index.flow)]
    moved = np.concatenate(([0.0], np.cumsum(np.nan_to_num(index.flow[1:]))))
    steps = moved[step:] - moved[:-step] if len(index) > step else np.array([])
    return {
        "motion_per_frame": float(np.median(flow)) if len(flow) else float("nan"),
        "motion_per_step": float(np.median(steps)) if len(steps) else float("nan"),
    }


def ground_truth_figures(index: FrameIndex, pose_supervision: str, depth_supervision: str) -> dict[str, Any]:
    """Reference depth images and poses. pose_supervision, depth_supervision: see `TrainConfig`."""
    known = np.isfinite(index.poses).all(axis=(1, 2))
    both = known[1:] & known[:-1]
    steps = np.linalg.norm(index.poses[1:, :3, 3] - index.poses[:-1, :3, 3], axis=1)[both]
    seconds = (np.diff(index.stamps_ns) * 1e-9)[both]
    return {
        "depth_images": int(index.has_depth.sum()),
        "poses": int(known.sum()),
        "path_length": float(steps.sum()),
        "mean_speed": float(steps.sum() / seconds.sum()) if len(steps) else float("nan"),
        "teaching_setting": pose_supervision,
        "depth_teaching_setting": depth_supervision,
    }


def stereo_figures(
    path: str,
    options: SourceOptions,
    data: DataConfig,
    source: FrameSource,
    index: FrameIndex,
    recording: TrainingRecording | None,
) -> dict[str, Any] | None:
    """The stereo partner of a camera with its baseline [m]; None if there is none."""
    partner = stereo_partner(path, options, source, data.stereo_topic)
    if partner is None:
        return None
    with open_source(path, partner) as right:
        camera = next((frame.camera for frame in right.frames()), None)
        is_known = camera is not None and camera.is_calibrated and index.cameras[0].is_calibrated
        figures: dict[str, Any] = {
            "right": right.description,
            "baseline": camera.baseline - index.cameras[0].baseline if is_known else float("nan"),
            "used": data.sources in ("stereo", "both"),
        }
    if recording is not None and recording.partners is not None:
        figures["paired_share"] = float(np.mean(recording.partners >= 0))
    return figures


def scan_figures(scan: FrameScan, index: FrameIndex) -> dict[str, Any]:
    """Exposure, repeated images, parallax, unchanging region and sharpness."""
    change = scan.brightness_change[np.isfinite(scan.brightness_change)]
    parallax = scan.parallax[np.isfinite(scan.parallax)]
    region = scan.region
    return {
        "looked_at": len(scan.frames),
        "brightness": float(np.median(scan.brightness)),
        "brightness_change": float(np.median(change)) if len(change) else float("nan"),
        "largest_brightness_change": float(change.max()) if len(change) else float("nan"),
        "repeated_share": float(scan.repeated.mean()) if len(scan.repeated) else 0.0,
        "parallax": float(np.median(parallax)) if len(parallax) else float("nan"),
        "static_region": {"area": region.area, "hood": region.hood} if region else None,
        "sharpness": float(np.median(index.sharpness)),
    }
