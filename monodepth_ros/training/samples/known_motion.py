# SPDX-License-Identifier: Apache-2.0
"""Motion that is known before the training: recorded odometry, or tracked features.

A pose network trained on a few seconds is a coarse teacher. Features and the depth of a good checkpoint give the motion
to a fraction of a pixel, in the units of that depth. Odometry of a robot gives it in metres.
"""

import functools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch

from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.geometry.motion import invert
from monodepth_ros.inference.pytorch import find_device
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.tracking_view import TrackingView
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.clip import Clip, TrainingError
from monodepth_ros.training.samples.dataset import MIN_SAMPLES, Dataset, Sample
from monodepth_ros.training.samples.targets import breaks

Progress = Callable[[str, int, int | None], None]
InverseDepth = Callable[[np.ndarray, NetworkView], np.ndarray]


def add_known_motion(dataset: Dataset, config: TrainConfig, progress: Progress | None = None) -> None:
    """Add the motion that data.motion names to every recording of a data set; `network` adds none.

    Samples without known motion are left out; notes give their number. Network units stay those of the checkpoint that
    the training starts with, so that its scale stays valid. In a training from scratch, recorded motion is in metres.
    progress: called with (recording, frames done, all frames).

    Raises TrainingError if the motion is not available, or leaves too few samples.
    """
    if config.data.motion == "network":
        return
    start = load_checkpoint(config.networks.start_from) if config.networks.start_from else None
    reason = ""
    if config.data.motion == "features":
        reason = _add_features_motion(dataset, config, start, progress)
    else:
        _add_recorded_motion(dataset, config, start, progress)
    if not config.learns_motion:
        dataset.chains = []  # no network predicts a trajectory to validate
    dataset.training, dataset.validation, *dataset.chains = (
        [sample for sample in samples if _is_known(dataset, sample)]
        for samples in (dataset.training, dataset.validation, *dataset.chains)
    )
    if len(dataset.training) < MIN_SAMPLES:
        raise TrainingError(
            f"only {len(dataset.training)} samples have a motion from data.motion {config.data.motion}{reason}:"
            " see `monodepth inspect`, or let a network learn it (data.motion network)"
        )


def _add_features_motion(
    dataset: Dataset, config: TrainConfig, start: Checkpoint | None, progress: Progress | None
) -> str:
    """Add tracked motion; returns the most frequent reason for missing motion as ' (reason)', or ''."""
    if start is None:
        raise TrainingError(
            "data.motion features needs networks.start_from (--from): a checkpoint whose depth gives the length of the"
            " motion"
        )
    factor, header = 1.0, start.header
    if math.isfinite(dataset.metres_per_unit):  # from a stereo pair, or from a checkpoint whose depth is kept
        if not header.is_metric:
            raise TrainingError(
                f"{start.path} has relative depth, a stereo pair is in metres: data.motion features cannot combine"
                " them; set data.sources to mono or data.motion to network"
            )
        factor = header.scale_factor / dataset.metres_per_unit
    elif header.is_metric:
        dataset.metres_per_unit, dataset.scale_origin = (
            header.scale_factor,
            f"{header.scale_origin}; kept by the motion of features",
        )
    tracked, reasons = _steps_by_features(dataset, config, start, progress)
    for recording, steps in zip(dataset.recordings, tracked, strict=True):
        recording.steps = _scaled(steps, factor)
        known = int(np.isfinite(steps).all(axis=(1, 2)).sum())
        length = np.nansum(np.linalg.norm(recording.steps[:, :3, 3], axis=1))
        dataset.notes.append(
            f"{recording.clip.name}: motion by features for {known} of {max(len(steps) - 1, 0)} steps, {length:.4g}"
            " network units long; samples without it are left out"
        )
    return "".join(f" ({reason})" for reason, _ in reasons.most_common(1))


def _add_recorded_motion(
    dataset: Dataset, config: TrainConfig, start: Checkpoint | None, progress: Progress | None
) -> None:
    metric = []
    for recording in dataset.recordings:
        if not recording.has_poses:
            raise TrainingError(
                f"{recording.clip.name} holds no poses of its camera, which data.motion recorded needs: name the"
                " odometry's topic by data.odometry_topic (its frame must be connected with the camera's by static"
                " transforms), or track features instead (data.motion features)"
            )
        metric.append(recorded_steps(recording.clip.index.poses))
    if not math.isfinite(dataset.metres_per_unit):
        dataset.metres_per_unit, dataset.scale_origin = 1.0, "the recordings' odometry"
        if start is not None and start.header.is_metric:
            dataset.metres_per_unit = start.header.scale_factor
        elif start is not None:
            dataset.metres_per_unit = _metres_per_unit(metric, _steps_by_features(dataset, config, start, progress)[0])
    for recording, steps in zip(dataset.recordings, metric, strict=True):
        recording.steps = _scaled(steps, 1 / dataset.metres_per_unit)
        known = int(np.isfinite(steps).all(axis=(1, 2)).sum())
        dataset.notes.append(
            f"{recording.clip.name}: recorded motion of {known} of {len(steps) - 1} steps,"
            f" {np.nansum(np.linalg.norm(steps[:, :3, 3], axis=1)):.4g} m long; samples without it are left out"
        )


def recorded_steps(poses: np.ndarray) -> np.ndarray:
    """T_previous_current (N, 4, 4) from T_world_camera (N, 4, 4); NaN for the first frame and where a pose is
    unknown."""
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
    """T_previous_current (N, 4, 4) of a clip's frames in the units of the depth, NaN where tracking gives no motion.

    inverse_depth: function from an RGB image (H, W, 3) uint8 in the networks' size and its view to inverse depth (H, W)
    float32 [1 / network unit]. advanced: called with the number of frames done. reasons: counts the reasons for missing
    motions.
    """
    index, between = clip.index, breaks(clip.index)
    steps = np.full((len(index), 4, 4), np.nan)
    view = None
    for frame in range(len(index)):
        if clip.view(frame) is not view or between[frame - 1]:
            view = clip.view(frame)
            tracking = TrackingView(view, view.resampler.filter)
            odometry = FeatureOdometry(tracking.camera, OdometryConfig().max_points)
        pixels = clip.source.read(int(index.stamps_ns[frame]), int(index.received_ns[frame]))
        rgb = to_rgb(view.resampler(pixels.array), pixels.layout)
        seen, valid = inverse_depth(rgb, view), clip.valid(frame)
        if valid is not None:  # track nothing on the vehicle itself, or outside the camera's view
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
    """Steps of each recording, in the units of the checkpoint's depth, and the reasons for missing ones."""
    device, header = find_device(config.loop.device), start.header
    network = start.depth.to(device).eval()

    def inverse_depth(rgb: np.ndarray, view: NetworkView) -> np.ndarray:
        image = torch.from_numpy(np.array(rgb)).to(device).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            disparity = network(image, (0,))[0][0, 0].float().cpu().numpy()
        scaled = scale_disparity(disparity, header.min_depth, header.max_depth)
        return scaled / np.float32(view.depth_factor) if config.objective.canonical_camera else scaled

    def advanced(clip: Clip, frames: int) -> None:
        if progress is not None:
            progress(clip.name, frames, len(clip.index))

    steps: list[np.ndarray] = []
    reasons: Counter[str] = Counter()
    for recording in dataset.recordings:
        clip = recording.clip
        steps.append(feature_steps(clip, inverse_depth, functools.partial(advanced, clip), reasons))
    return steps, reasons


def _metres_per_unit(metric: list[np.ndarray], relative: list[np.ndarray]) -> float:
    """Ratio of the recorded path length [m] to that by features, over the steps with both."""
    lengths = np.array([np.linalg.norm(np.concatenate(steps)[:, :3, 3], axis=1) for steps in (metric, relative)])
    metres, units = lengths[:, np.isfinite(lengths).all(axis=0)].sum(axis=1)
    if not (metres > 0 and units > 0):
        raise TrainingError(
            "the checkpoint's depth is relative, and no step has both a recorded motion and one by features:"
            " metres per unit are unknown; start with a metric checkpoint, or from scratch"
        )
    return float(metres / units)


def _scaled(steps: np.ndarray, factor: float) -> np.ndarray:
    steps = steps.copy()
    steps[:, :3, 3] *= factor
    return steps


def _is_known(dataset: Dataset, sample: Sample) -> bool:
    recording = dataset.recordings[sample.clip]
    return all(recording.known_motion(sample.frame, offset) is not None for offset in (-1, 1))
