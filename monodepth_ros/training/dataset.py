"""Recordings opened for training: their clips, the samples in them and the camera that the networks will know."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from monodepth_ros.data.frame_index import FrameIndex, index_frames
from monodepth_ros.data.sources.choice import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.data.sources.stereo_partner import one_camera, stereo_partner
from monodepth_ros.geometry.motion import invert
from monodepth_ros.pipeline.network_view import crop_to_aspect
from monodepth_ros.training.batch import STEREO, TARGET, Batch, Source
from monodepth_ros.training.clip import Clip, FrameCache, TrainingError, read_mask
from monodepth_ros.training.config import DataConfig, NetworksConfig
from monodepth_ros.training.samples import Choice, choose_targets, pair_by_time, split

# The baseline of a stereo pair in network units (Godard et al. 2019, section 4): depth then lies in the networks' range.
STEREO_BASELINE = 0.1
STEREO_TOLERANCE = 0.01  # seconds between the two images of a pair
MIN_SAMPLES = 2


@dataclass(frozen=True)
class Sample:
    """A target: frame number `frame` of clip number `clip`."""

    clip: int
    frame: int


@dataclass(eq=False)
class Recorded:
    """One recording: the clip of its (left) camera, what of it is used, and the right camera's clip where there is one.

    partners: the right camera's frame for each of the left's, -1 where there is none. baseline: metres. steps:
    T_previous_current (N, 4, 4) of the frames in network units, NaN where not known (see known_motion.py), or None where a
    network has to tell.
    """

    clip: Clip
    choice: Choice
    right: Clip | None = None
    partners: np.ndarray | None = None
    baseline: float = 0.0
    steps: np.ndarray | None = None

    @property
    def knows_motion(self) -> bool:
        """Whether the recording says how its camera moved, in some of its frames."""
        return bool(np.isfinite(self.clip.index.poses).all(axis=(1, 2)).any())

    def exact_motion(self, frame: int, offset: int) -> np.ndarray | None:
        """T_source_target (4, 4) [m] to the neighbour `offset` steps on, None where the recording does not say."""
        target, source = (self.clip.index.poses[number] for number in (frame, frame + offset * self.choice.step))
        if not (np.isfinite(target).all() and np.isfinite(source).all()):
            return None
        return invert(source) @ target

    def known_motion(self, frame: int, offset: int) -> np.ndarray | None:
        """T_source_target (4, 4) in network units to the neighbour `offset` steps on, None where a network has to tell."""
        if self.steps is None:
            return None
        source = frame + offset * self.choice.step
        T_first_last = np.eye(4)
        for step in self.steps[min(frame, source) + 1 : max(frame, source) + 1]:
            T_first_last = T_first_last @ step
        if not np.isfinite(T_first_last).all():
            return None
        return T_first_last if source < frame else invert(T_first_last)


@dataclass(eq=False)
class Dataset:
    """Samples of all recordings. chains: validation samples of which each begins a step after the one before it, for
    trajectories. training_camera: normalised intrinsics of the networks' input. pose_interval: seconds from a target to
    its neighbours. metres_per_unit: known by a stereo baseline or a known motion, else NaN; scale_origin: by what. notes:
    what a user should know."""

    recordings: list[Recorded]
    training: list[Sample]
    validation: list[Sample]
    chains: list[list[Sample]]
    training_camera: tuple[float, float, float, float]
    pose_interval: float
    metres_per_unit: float
    sources: str
    notes: list[str] = field(default_factory=list)
    scale_origin: str = ""

    def close(self) -> None:
        """Close the recordings."""
        for recorded in self.recordings:
            recorded.clip.source.close()
            if recorded.right is not None:
                recorded.right.source.close()

    def __enter__(self) -> "Dataset":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def name(self, sample: Sample) -> str:
        """For messages: the recording and the time in it."""
        clip = self.recordings[sample.clip].clip
        seconds = (clip.index.stamps_ns[sample.frame] - clip.index.stamps_ns[0]) * 1e-9
        return f"{clip.name} at {seconds:.2f} s"

    def frames(self, sample: Sample) -> dict[Source, tuple[Clip, int]]:
        """Where the target and its sources come from."""
        recorded = self.recordings[sample.clip]
        found: dict[Source, tuple[Clip, int]] = {TARGET: (recorded.clip, sample.frame)}
        if self.sources != "stereo":
            step = recorded.choice.step
            found |= {-1: (recorded.clip, sample.frame - step), 1: (recorded.clip, sample.frame + step)}
        if self.sources != "mono":
            found[STEREO] = (recorded.right, int(recorded.partners[sample.frame]))
        return found

    def batch(self, samples: list[Sample], images: list[dict[Source, np.ndarray]]) -> Batch:
        """Stack the samples, whose images (H, W, 3) uint8 have been read, on the CPU."""
        stacked = {
            source: torch.from_numpy(np.stack([image[source] for image in images])).permute(0, 3, 1, 2)
            for source in images[0]
        }
        K, valid, factors = [], [], []
        known: dict[Source, list[np.ndarray]] = {}
        distances: dict[Source, list[float]] = {-1: [], 1: []}
        for sample in samples:
            recorded = self.recordings[sample.clip]
            view = recorded.clip.view(sample.frame)
            K.append(view.camera.K)
            factors.append(view.depth_factor)
            mask = recorded.clip.valid(sample.frame)
            valid.append(np.ones(recorded.clip.size[::-1], bool) if mask is None else mask)
            for source, T in self._known_motions(recorded, sample.frame).items():
                known.setdefault(source, []).append(T)
            for offset, lengths in distances.items():
                lengths.append(self._distance(recorded, sample.frame, offset) if self.sources != "stereo" else np.nan)
        masks = np.stack(valid)[:, None]
        return Batch(
            stacked,
            stacked,
            torch.tensor(np.array(K), dtype=torch.float32),
            {source: torch.tensor(np.array(T), dtype=torch.float32) for source, T in known.items()},
            {offset: torch.tensor(lengths, dtype=torch.float32) for offset, lengths in distances.items()},
            None if set(factors) == {1.0} else torch.tensor(factors, dtype=torch.float32),
            None if masks.all() else torch.from_numpy(masks),
            tuple(self.name(sample) for sample in samples),
        )

    def _known_motions(self, recorded: Recorded, frame: int) -> dict[Source, np.ndarray]:
        """T_source_target (4, 4) in network units of the sources whose motion is known."""
        found: dict[Source, np.ndarray] = {}
        if self.sources != "stereo" and recorded.steps is not None:
            found |= {offset: recorded.known_motion(frame, offset) for offset in (-1, 1)}
        if self.sources != "mono":
            found[STEREO] = np.eye(4)
            found[STEREO][0, 3] = -recorded.baseline / self.metres_per_unit
        return found

    def _distance(self, recorded: Recorded, frame: int, offset: int) -> float:
        """How far the camera moved in network units, or in metres where nothing else fixes these; NaN where the recording
        does not say."""
        T = recorded.exact_motion(frame, offset)
        if T is None:
            return float("nan")
        metres = float(np.linalg.norm(T[:3, 3]))
        return metres / self.metres_per_unit if np.isfinite(self.metres_per_unit) else metres


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
    recordings: list[Recorded] = []
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
            recorded = Recorded(clip, choose_targets(index, config.frame_step, config.min_motion, config.sources != "stereo"))
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


def _pair(recorded: Recorded) -> None:
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


def _chosen(recordings: list[Recorded], config: DataConfig, camera: tuple, notes: list[str]) -> Dataset:
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


def _why_so_few(recordings: list[Recorded], config: DataConfig) -> str:
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


def _chains(recordings: list[Recorded], samples: list[Sample], count: int) -> list[list[Sample]]:
    """Of each recording whose poses are known the longest chain, cut to `count` samples."""
    found = []
    for number, recorded in enumerate(recordings):
        known = {s.frame for s in samples if s.clip == number and recorded.exact_motion(s.frame, 1) is not None}
        longest: list[int] = []
        for frame in sorted(known):
            chain = [frame]
            while len(chain) < count and chain[-1] + recorded.choice.step in known:
                chain.append(chain[-1] + recorded.choice.step)
            longest = max(longest, chain, key=len)
        if longest:
            found.append([Sample(number, frame) for frame in longest])
    return found
