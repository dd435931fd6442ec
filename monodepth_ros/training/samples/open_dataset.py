# SPDX-License-Identifier: Apache-2.0
"""Opens recordings for training: frame index, training camera, and selection of samples."""

import functools
import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from monodepth_ros.data.frame_index import FrameIndex, index_frames
from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.data.sources.stereo_partner import one_camera, stereo_partner
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.view_choice import ENOUGH
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.samples.clip import Clip, FrameCache, TrainingError, read_mask
from monodepth_ros.training.samples.config import DataConfig
from monodepth_ros.training.samples.dataset import MIN_SAMPLES, Dataset, Sample, TrainingRecording
from monodepth_ros.training.samples.network_input import InputForCamera, InputOfCheckpoint, NetworkInput
from monodepth_ros.training.samples.targets import pair_by_time, select_targets, split

# Baseline of a stereo pair in network units (Godard et al. 2019, section 4), with which depth lies in the networks'
# range.
STEREO_BASELINE = 0.1
STEREO_TOLERANCE = 0.01  # between the two images of a pair [s]

Progress = Callable[[str, int, int | None], None]


def open_dataset(
    config: DataConfig,
    networks: NetworksConfig,
    progress: Progress | None = None,
    like: CheckpointHeader | None = None,
) -> Dataset:
    """Open and index the recordings, choose the networks' input (see network_input.py), and select the samples.

    progress: called with (recording, frames indexed, all frames or None). like: checkpoint whose input and training
    camera are kept, so that the networks see what the node shows them; by default they learn for the recordings'
    camera.

    Raises TrainingError for recordings that cannot be learned from, and what `open_source` raises.
    """
    if not config.recordings:
        raise TrainingError("nothing to learn from: give one or more recordings")
    notes: list[str] = []
    opened = []
    for path in config.recordings:
        name = f"{len(opened)}:{Path(path).name}" if len(config.recordings) > 1 else Path(path).name
        options, right_options = camera_options(path, config, notes)
        opened.append((name, path, options, right_options, _index(path, options, config, progress, notes)))
    indices = [(name, index) for name, *_, index in opened]
    chosen = InputForCamera(indices, networks) if like is None else InputOfCheckpoint(indices, networks, like)
    notes += [chosen.note] if chosen.note else []
    make_clip = functools.partial(
        Clip,
        look_through=chosen.look_through,
        cache=FrameCache(config.cache_mb),
        hood=config.hood,
        mask=read_mask(config.mask_file),
    )
    recordings: list[TrainingRecording] = []
    with ExitStack() as sources:
        for name, path, options, right_options, index in opened:
            source = sources.enter_context(open_source(path, options))
            selection = select_targets(index, config.frame_step, config.min_motion, config.has_neighbours)
            recording = TrainingRecording(make_clip(name, source, index), selection)
            recordings.append(recording)
            if right_options is not None:
                right_index = _index(path, right_options, config, progress, notes)
                right_source = sources.enter_context(open_source(path, right_options))
                recording.right = make_clip(f"{name} right", right_source, right_index)
                _pair(recording)
        dataset = _select_samples(recordings, config, networks, chosen, notes)
        sources.pop_all()  # from here on the data set closes them
    return dataset


def camera_options(path: str, config: DataConfig, notes: list[str]) -> tuple[SourceOptions, SourceOptions | None]:
    """Source options of the left camera and, with stereo, of the right camera. Adds a note if it chooses a camera.

    Raises TrainingError if stereo is asked for and there is no second camera.
    """
    options = SourceOptions(
        topic=config.topic,
        camera_info=config.camera_info,
        depth_topic=config.depth_topic,
        odometry_topic=config.odometry_topic,
        camera=config.camera,
        calibration_file=config.calibration_file,
        rectified=config.rectified,
        unrectified=config.unrectified,
        field_of_view=config.field_of_view,
        encoding=config.encoding,
        intensity_range=config.intensity_range,
        rate=config.rate,
        start=config.start,
        duration=config.duration or math.inf,
    )
    # The first of several cameras is as good as any to learn from, and it is the left one of a pair.
    options, note = one_camera(path, options)
    if note:
        notes.append(note)
    if config.sources in ("mono", "none"):
        return options, None
    with open_source(path, options) as source:
        right = stereo_partner(path, options, source, config.stereo_topic)
        if right is None:
            raise TrainingError(f"no second camera beside {source.description}: name it by data.stereo_topic")
    return options, right


def _index(
    path: str, options: SourceOptions, config: DataConfig, progress: Progress | None, notes: list[str]
) -> FrameIndex:
    reading = progress and (lambda count, total: progress(path, count, total))
    return index_frames(path, options, reading, config.index_beside, notes.append)


def _pair(recording: TrainingRecording) -> None:
    left, right = recording.clip, recording.right
    recording.partners = pair_by_time(left.index.stamps_ns, right.index.stamps_ns, STEREO_TOLERANCE)
    recording.baseline = right.index.cameras[0].baseline - left.index.cameras[0].baseline
    if not recording.baseline > 1e-4:
        raise TrainingError(
            f"{left.name}: P[0, 3] of the right camera gives a baseline of {recording.baseline:.3f} m:"
            " calibrate the pair, so that P[0, 3] = -fx * baseline"
        )
    if not (recording.partners >= 0).any():
        raise TrainingError(f"{left.name}: no image of one camera is within {STEREO_TOLERANCE:g} s of one of the other")


def _select_samples(
    recordings: list[TrainingRecording],
    config: DataConfig,
    networks: NetworksConfig,
    chosen: NetworkInput,
    notes: list[str],
) -> Dataset:
    training: list[Sample] = []
    validation: list[Sample] = []
    for number, recording in enumerate(recordings):
        clip, selection = recording.clip, recording.selection
        targets = selection.targets
        if recording.partners is not None:
            targets = targets[recording.partners[targets] >= 0]
        span = selection.step if config.has_neighbours else 0
        ours, held_out = split(clip.index, targets, span, config.validation_share)
        training += [Sample(number, int(frame)) for frame in ours]
        validation += [Sample(number, int(frame)) for frame in held_out]
        notes.append(
            f"{clip.name}: {len(clip.index)} frames at {1 / clip.index.interval:.1f} Hz, {len(ours)} samples for"
            f" training, {len(held_out)} for validation, {selection.step} frames apart;"
            f" {100 * selection.static_share:.0f} % static left out"
        )
        notes += [
            f"{clip.name}: {count} frames left out: {reason}" for reason, count in few_reasons(clip.index.left_out)
        ]
        notes += [f"{clip.name}: {name}: {text}" for name, text in clip.source.references]
        notes += [f"{clip.name}: {line}" for view in clip.views for line in _view_notes(view, chosen)]
        notes += [f"{clip.name}: {note}" for note in clip.source.notes]
    if len(training) < MIN_SAMPLES:
        raise TrainingError(f"only {len(training)} samples to learn from: {_shortage(recordings, config)}")
    metres_per_unit, scale_origin = _scale(recordings, networks)
    return Dataset(
        recordings=recordings,
        training=training,
        validation=_spread(validation, config.validation_frames),
        chains=_chains(recordings, validation, config.validation_frames) if config.has_neighbours else [],
        size=chosen.size,
        checkpoint_size=chosen.checkpoint_size,
        training_camera=chosen.training_camera,
        pose_interval=float(
            np.median([recording.selection.step * recording.clip.index.interval for recording in recordings])
        ),
        metres_per_unit=metres_per_unit,
        sources=config.sources,
        notes=notes,
        scale_origin=scale_origin,
    )


def better_view(follows_camera: bool) -> str:
    """Advice for networks that see little of the image; follows_camera: their input has the size of another camera."""
    if follows_camera:
        return "train with the recordings of one aspect at a time"
    return "--set networks.width=0 --set networks.height=0 fits the networks' input to the camera"


def _view_notes(view: NetworkView, chosen: NetworkInput) -> list[str]:
    """The networks' view, and a warning if it leaves out much of the image."""
    notes = [f"{view.description}; the networks see {100 * view.image_coverage:.0f} % of the image"]
    if view.image_coverage < ENOUGH:
        advice = better_view(chosen.follows_camera)
        notes.append(f"warning: the networks see only {100 * view.image_coverage:.0f} % of the image: {advice}")
    return notes


def _scale(recordings: list[TrainingRecording], networks: NetworksConfig) -> tuple[float, str]:
    """Metres per network unit and their origin: from the stereo baseline, or from the checkpoint whose depth is
    kept."""
    baseline = recordings[0].baseline
    if baseline:
        return baseline / STEREO_BASELINE, f"stereo baseline of {baseline:.4g} m"
    if networks.keep_depth:
        header = load_checkpoint(networks.start_from).header
        if header.is_metric:
            return header.scale_factor, header.scale_origin
    return float("nan"), ""


def _shortage(recordings: list[TrainingRecording], config: DataConfig) -> str:
    """The reason for a lack of samples, and what to do."""
    static = max(recording.selection.static_share for recording in recordings)
    frames = sum(len(recording.clip.index) for recording in recordings)
    if static > 0.5:
        return (
            f"{100 * static:.0f} % of the frames are static (the image moves less than data.min_motion"
            f" {config.min_motion:g} of its width); record the camera while it moves"
        )
    runs = sum(recording.selection.runs for recording in recordings)
    return f"there are {frames} frames in {runs} unbroken runs; record longer, without gaps"


def _spread(samples: list[Sample], count: int) -> list[Sample]:
    """`count` samples at even distances."""
    if len(samples) <= count:
        return samples
    return [samples[i] for i in np.linspace(0, len(samples) - 1, count).round().astype(int)]


def _chains(recordings: list[TrainingRecording], samples: list[Sample], count: int) -> list[list[Sample]]:
    """The longest chain of each recording with poses, cut to `count` samples."""
    found = []
    for number, recording in enumerate(recordings):
        step = recording.selection.step
        known = {s.frame for s in samples if s.clip == number and recording.reference_motion(s.frame, 1) is not None}
        longest: list[int] = []
        for frame in sorted(known):
            chain = [frame]
            while len(chain) < count and chain[-1] + step in known:
                chain.append(chain[-1] + step)
            longest = max(longest, chain, key=len)
        if longest:
            found.append([Sample(number, frame) for frame in longest])
    return found
