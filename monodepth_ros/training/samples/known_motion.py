# SPDX-License-Identifier: Apache-2.0
"""Motion that is known before the training: what a recording says of it, or what features followed through its images tell.

A pose network that has seen a few seconds is a coarse teacher. Features and the depth of a checkpoint that is good already
give the motion to a fraction of a pixel, in that depth's own units; a robot's odometry gives it in metres.
"""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch

from monodepth_ros.data.image_codec import to_rgb
from monodepth_ros.geometry.motion import invert
from monodepth_ros.inference.pytorch import find_device
from monodepth_ros.networks.checkpoint import Checkpoint, load_checkpoint
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.tracking_view import TrackingView
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.clip import Clip, TrainingError
from monodepth_ros.training.samples.dataset import MIN_SAMPLES, Dataset, Sample
from monodepth_ros.training.samples.selection import breaks

Progress = Callable[[str, int, int | None], None]
InverseDepth = Callable[[np.ndarray, NetworkView], np.ndarray]


def add_known_motion(dataset: Dataset, config: TrainConfig, progress: Progress | None = None) -> None:
    """Give every recording of a dataset the motion that data.motion names; nothing to do for `network`.

    Samples whose motion is not known are left out, and the notes say how many. Network units stay those of the checkpoint
    that the training begins with, so that what it says of metres holds; the recorded motion of a training from scratch is in
    metres. progress: called with (recording, frames, all frames).

    Raises TrainingError where the motion cannot be had, or leaves too few samples.
    """
    if config.data.motion == "network":
        return
    start = load_checkpoint(config.networks.start_from) if config.networks.start_from else None
    why = ""
    if config.data.motion == "features":
        why = _add_features_motion(dataset, config, start, progress)
    else:
        _add_recorded_motion(dataset, config, start, progress)
    if not config.learns_motion:
        dataset.chains = []  # no network predicts a trajectory that could be judged
    dataset.training, dataset.validation, *dataset.chains = (
        [sample for sample in samples if _is_known(dataset, sample)]
        for samples in (dataset.training, dataset.validation, *dataset.chains)
    )
    if len(dataset.training) < MIN_SAMPLES:
        raise TrainingError(
            f"only {len(dataset.training)} samples have a motion from data.motion {config.data.motion}{why}:"
            " see `monodepth inspect`, or let a network learn it (data.motion network)"
        )


def _add_features_motion(
    dataset: Dataset, config: TrainConfig, start: Checkpoint | None, progress: Progress | None
) -> str:
    """Why it is not known where it is not, in words."""
    if start is None:
        raise TrainingError(
            "data.motion features needs networks.start_from (--from): a checkpoint whose depth gives the motion its length"
        )
    factor, header = 1.0, start.header
    if math.isfinite(dataset.metres_per_unit):  # a stereo pair's
        if not header.is_metric:
            raise TrainingError(
                f"{start.path} has relative depth, a stereo pair is in metres: with data.motion features they do not fit;"
                " set data.sources to mono or data.motion to network"
            )
        factor = header.scale_factor / dataset.metres_per_unit
    elif header.is_metric:
        dataset.metres_per_unit, dataset.scale_origin = (
            header.scale_factor,
            f"{header.scale_origin}; kept by the motion of features",
        )
    found, reasons = _steps_by_features(dataset, config, start, progress)
    for recorded, steps in zip(dataset.recordings, found, strict=True):
        recorded.steps = _scaled(steps, factor)
        known = int(np.isfinite(steps).all(axis=(1, 2)).sum())
        length = np.nansum(np.linalg.norm(recorded.steps[:, :3, 3], axis=1))
        dataset.notes.append(
            f"{recorded.clip.name}: motion by features for {known} of {max(len(steps) - 1, 0)} steps, {length:.4g} network units"
            " long; samples without it are left out"
        )
    return "".join(f" ({reason})" for reason, _ in reasons.most_common(1))


def _add_recorded_motion(
    dataset: Dataset, config: TrainConfig, start: Checkpoint | None, progress: Progress | None
) -> None:
    metric = []
    for recorded in dataset.recordings:
        if not recorded.knows_motion:
            raise TrainingError(
                f"{recorded.clip.name} does not say how its camera moved, as data.motion recorded needs: name the odometry's"
                " topic by data.odometry (its frame must be connected with the camera's by static transforms), or let"
                " features tell the motion (data.motion features)"
            )
        metric.append(recorded_steps(recorded.clip.index.poses))
    if not math.isfinite(dataset.metres_per_unit):
        dataset.metres_per_unit, dataset.scale_origin = 1.0, "the recordings' odometry"
        if start is not None and start.header.is_metric:
            dataset.metres_per_unit = start.header.scale_factor
        elif start is not None:
            dataset.metres_per_unit = _metres_per_unit(metric, _steps_by_features(dataset, config, start, progress)[0])
    for recorded, steps in zip(dataset.recordings, metric, strict=True):
        recorded.steps = _scaled(steps, 1 / dataset.metres_per_unit)
        known = int(np.isfinite(steps).all(axis=(1, 2)).sum())
        dataset.notes.append(
            f"{recorded.clip.name}: recorded motion of {known} of {len(steps) - 1} steps,"
            f" {np.nansum(np.linalg.norm(steps[:, :3, 3], axis=1)):.4g} m long; samples without it are left out"
        )


def recorded_steps(poses: np.ndarray) -> np.ndarray:
    """T_previous_current (N, 4, 4) from T_world_camera (N, 4, 4), NaN for the first and where a pose is not known."""
    steps = np.full_like(poses, np.nan)
    for frame in range(1, len(poses)):
        if np.isfinite(poses[frame - 1 : frame + 1]).all():
            steps[frame] = invert(poses[frame - 1]) @ poses[frame]
    return steps


def feature_steps(
    clip: Clip,
    inverse_depth: InverseDepth,
    advanced: Callable[[int], None] = lambda frames: None,
    reasons: Counter[str] | None = None,
) -> np.ndarray:
    """T_previous_current (N, 4, 4) of a clip's frames in the depth's units, NaN where features tell no motion.

    inverse_depth: of an RGB image (H, W, 3) uint8 of the networks' size and its view, (H, W) float32 [1 / network unit].
    advanced: called with the number of frames done. reasons: filled with why motions are not known, and how often.
    """
    index, between = clip.index, breaks(clip.index)
    steps = np.full((len(index), 4, 4), np.nan)
    view = None
    for frame in range(len(index)):
        if clip.view(frame) is not view or between[frame - 1]:
            view = clip.view(frame)
            tracking = TrackingView(view, clip.filter)
            odometry = FeatureOdometry(tracking.camera, OdometryConfig().max_points)
        pixels = clip.source.read(int(index.stamps_ns[frame]), int(index.received_ns[frame]))
        rgb = to_rgb(view.resampler(pixels.array), pixels.layout)
        seen, valid = inverse_depth(rgb, view), clip.valid(frame)
        if valid is not None:  # nothing is followed on the vehicle itself, or where the camera sees nothing
            seen = np.where(valid, seen, np.float32(np.nan))
        found = odometry.update(tracking.render(pixels, rgb), seen)
        if found.T_previous_current is not None:
            steps[frame] = found.T_previous_current
        elif reasons is not None:
            reasons[found.reason] += 1
        advanced(frame + 1)
    return steps


def _steps_by_features(
    dataset: Dataset, config: TrainConfig, start: Checkpoint, progress: Progress | None
) -> tuple[list[np.ndarray], Counter[str]]:
    """The steps of each recording, in the units in which the training takes the checkpoint's depth, and why some are missing."""
    device, header = find_device(config.loop.device), start.header
    network = start.depth.to(device).eval()

    def inverse_depth(rgb: np.ndarray, view: NetworkView) -> np.ndarray:
        image = torch.from_numpy(np.array(rgb)).to(device).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            disparity = network(image, (0,))[0][0, 0].float().cpu().numpy()
        scaled = scale_disparity(disparity, header.min_depth, header.max_depth)
        return scaled / np.float32(view.depth_factor) if config.objective.canonical_camera else scaled

    found, reasons = [], Counter()
    for recorded in dataset.recordings:
        clip, total = recorded.clip, len(recorded.clip.index)
        said = (lambda frames: None) if progress is None else (lambda frames: progress(clip.name, frames, total))  # noqa: B023
        found.append(feature_steps(clip, inverse_depth, said, reasons))
    return found, reasons


def _metres_per_unit(metric: list[np.ndarray], relative: list[np.ndarray]) -> float:
    """The length of the way in metres over that by features, where both are known."""
    lengths = np.array([np.linalg.norm(np.concatenate(steps)[:, :3, 3], axis=1) for steps in (metric, relative)])
    metres, units = lengths[:, np.isfinite(lengths).all(axis=0)].sum(axis=1)
    if not (metres > 0 and units > 0):
        raise TrainingError(
            "the checkpoint's depth is relative, and no recorded motion could be compared with that of features:"
            " metres per unit are not known; begin with a metric checkpoint, or from scratch"
        )
    return float(metres / units)


def _scaled(steps: np.ndarray, factor: float) -> np.ndarray:
    steps = steps.copy()
    steps[:, :3, 3] *= factor
    return steps


def _is_known(dataset: Dataset, sample: Sample) -> bool:
    recorded = dataset.recordings[sample.clip]
    return all(recorded.known_motion(sample.frame, offset) is not None for offset in (-1, 1))
