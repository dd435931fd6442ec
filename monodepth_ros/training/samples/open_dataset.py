# SPDX-License-Identifier: Apache-2.0
"""Opens recordings for training: index, the camera that the networks will know, and the choice of samples."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from monodepth_ros.data.frame_index import FrameIndex, index_frames
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.data.sources.stereo_partner import one_camera, stereo_partner
from monodepth_ros.pipeline.network_view import crop_to_aspect
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.samples.clip import Clip, FrameCache, TrainingError, read_mask
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.dataset import MIN_SAMPLES, Dataset, Sample, TrainingRecording
from monodepth_ros.training.samples.selection import choose_targets, pair_by_time, split

# The baseline of a stereo pair in network units (Godard et al. 2019, section 4): depth then lies in the networks' range.
STEREO_BASELINE = 0.1
STEREO_TOLERANCE = 0.01  # seconds between the two images of a pair


def open_dataset(
    config: DataConfig,
    networks: NetworksConfig,
    progress: Callable[[str, int, int | None], None] | None = None,
    training_camera: tuple[float, float, float, float] | None = None,
) -> Dataset:
    """Open, index and choose. progress: called with (recording, frames indexed, frames expected or None).

    training_camera: normalised intrinsics of the networks' input; by default those of the first recording's camera.

    Raises TrainingError for recordings that cannot be learned from, and what `open_source` raises.
    """
    if not config.recordings:
        raise TrainingError("nothing to learn from: give --data with one or more recordings")
    cache = FrameCache(config.cache_mb)
    mask = read_mask(config.mask_file)
    recordings: list[TrainingRecording] = []
    notes: list[str] = []
    try:
        for path in config.recordings:
            options, right_options = camera_options(path, config, notes)
            index = _index(path, options, progress)
            if training_camera is None:
                training_camera = training_camera_of(path, index, networks)
            name = f"{len(recordings)}:{Path(path).name}" if len(config.recordings) > 1 else Path(path).name
            made = networks.width, networks.height
            arguments = training_camera, made, networks.filter, cache, config.hood, mask
            clip = Clip(name, open_source(path, options), index, *arguments)
            recorded = TrainingRecording(
                clip, choose_targets(index, config.frame_step, config.min_motion, config.sources != "stereo")
            )
            recordings.append(recorded)
            if right_options is not None:
                right_index = _index(path, right_options, progress)
                recorded.right = Clip(f"{name} right", open_source(path, right_options), right_index, *arguments)
                _pair(recorded)
        return _chosen(recordings, config, training_camera, notes)
    except BaseException:
        Dataset(recordings, [], [], [], training_camera or (1, 1, 0, 0), 1.0, 1.0, "mono").close()
        raise


def training_camera_of(name: str, index: FrameIndex, networks: NetworksConfig) -> tuple[float, float, float, float]:
    """Normalised intrinsics of the networks' input: the camera's image, or the most of it that has the input's aspect."""
    camera = index.cameras[0]
    if not camera.is_calibrated:
        raise TrainingError(f"{name} has no calibration: record camera_info, or set data.calibration_file")
    return crop_to_aspect(camera.rectified(), networks.width, networks.height).normalized


def camera_options(path: str, config: DataConfig, notes: list[str]) -> tuple[SourceOptions, SourceOptions | None]:
    """How the left and, with stereo, the right camera of a recording are opened."""
    options = SourceOptions(
        topic=config.topic,
        camera_info=config.camera_info,
        odometry=config.odometry,
        camera=config.camera,
        calibration_file=config.calibration_file,
        rectified=config.rectified,
        rate=config.rate,
    )
    # Of several cameras the first is as good as any to learn from, and the left one of a pair is the first.
    options, note = one_camera(path, options)
    if note:
        notes.append(f"{note} (data.topic chooses)")
    if config.sources == "mono":
        return options, None
    with open_source(path, options) as source:
        right = stereo_partner(path, options, source, config.stereo_topic)
        if right is None:
            raise TrainingError(f"no second camera beside {source.description}: name it by data.stereo_topic")
    return options, right


def _index(path: str, options: SourceOptions, progress) -> FrameIndex:
    return index_frames(path, options, progress and (lambda count, total: progress(path, count, total)))


def _pair(recorded: TrainingRecording) -> None:
    left, right = recorded.clip, recorded.right
    recorded.partners = pair_by_time(left.index.stamps_ns, right.index.stamps_ns, STEREO_TOLERANCE)
    recorded.baseline = right.index.cameras[0].baseline - left.index.cameras[0].baseline
    if not recorded.baseline > 1e-4:
        raise TrainingError(
            f"{left.name}: the right camera's P[0, 3] says that its baseline is {recorded.baseline:.3f} m:"
            " a calibration of the pair must give it (P[0, 3] = -fx * baseline)"
        )
    if not (recorded.partners >= 0).any():
        raise TrainingError(f"{left.name}: no image of one camera is within {STEREO_TOLERANCE:g} s of one of the other")


def _chosen(recordings: list[TrainingRecording], config: DataConfig, camera: tuple, notes: list[str]) -> Dataset:
    training: list[Sample] = []
    validation: list[Sample] = []
    for number, recorded in enumerate(recordings):
        clip, choice = recorded.clip, recorded.choice
        targets = choice.targets
        if recorded.partners is not None:
            targets = targets[recorded.partners[targets] >= 0]
        span = 0 if config.sources == "stereo" else choice.step
        ours, held_out = split(clip.index, targets, span, config.validation_share)
        training += [Sample(number, int(frame)) for frame in ours]
        validation += [Sample(number, int(frame)) for frame in held_out]
        notes.append(
            f"{clip.name}: {len(clip.index)} frames at {1 / clip.index.interval:.1f} Hz, {len(ours)} samples for training,"
            f" {len(held_out)} for validation, {choice.step} frames apart; {100 * choice.static_share:.0f} % static left out"
        )
        notes += [f"{clip.name}: {count} frames left out: {reason}" for reason, count in clip.index.left_out.items()]
        notes += [f"{clip.name}: {view.description}" for view in clip.views]
        notes += [f"{clip.name}: {note}" for note in clip.source.notes]
    if len(training) < MIN_SAMPLES:
        raise TrainingError(f"only {len(training)} samples to learn from: {_why_so_few(recordings, config)}")
    intervals = [recorded.choice.step * recorded.clip.index.interval for recorded in recordings]
    baseline = recordings[0].baseline
    return Dataset(
        recordings,
        training,
        _spread(validation, config.validation_frames),
        [] if config.sources == "stereo" else _chains(recordings, validation, config.validation_frames),
        camera,
        float(np.median(intervals)),
        baseline / STEREO_BASELINE if baseline else float("nan"),
        config.sources,
        notes,
        f"stereo baseline of {baseline:.4g} m" if baseline else "",
    )


def _why_so_few(recordings: list[TrainingRecording], config: DataConfig) -> str:
    static = max(recorded.choice.static_share for recorded in recordings)
    frames = sum(len(recorded.clip.index) for recorded in recordings)
    if static > 0.5:
        return (
            f"{100 * static:.0f} % of the frames are static (the image moves less than data.min_motion {config.min_motion:g}"
            " of its width); record the camera while it moves"
        )
    runs = sum(recorded.choice.runs for recorded in recordings)
    return f"there are {frames} frames in {runs} unbroken runs; record longer, without gaps"


def _spread(samples: list[Sample], count: int) -> list[Sample]:
    if len(samples) <= count:
        return samples
    return [samples[i] for i in np.linspace(0, len(samples) - 1, count).round().astype(int)]


def _chains(recordings: list[TrainingRecording], samples: list[Sample], count: int) -> list[list[Sample]]:
    """Of each recording whose poses are known the longest chain, cut to `count` samples."""
    found = []
    for number, recorded in enumerate(recordings):
        known = {s.frame for s in samples if s.clip == number and recorded.reference_motion(s.frame, 1) is not None}
        longest: list[int] = []
        for frame in sorted(known):
            chain = [frame]
            while len(chain) < count and chain[-1] + recorded.choice.step in known:
                chain.append(chain[-1] + recorded.choice.step)
            longest = max(longest, chain, key=len)
        if longest:
            found.append([Sample(number, frame) for frame in longest])
    return found
