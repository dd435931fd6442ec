# SPDX-License-Identifier: Apache-2.0
"""Recordings opened for training: clips, samples and batches."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import torch

from monodepth_ros.geometry.motion import invert
from monodepth_ros.training.samples.batch import STEREO, TARGET, Batch, Source
from monodepth_ros.training.samples.clip import Clip
from monodepth_ros.training.samples.targets import TargetSelection

MIN_SAMPLES = 2


@dataclass(frozen=True)
class Sample:
    """Frame number `frame` of recording number `clip`, as a target."""

    clip: int
    frame: int


@dataclass(eq=False)
class TrainingRecording:
    """A recording: the clip of its (left) camera, the targets in it, and the clip of the right camera if there is one.

    partners: number of the right camera's frame for each of the left camera's, -1 for none. baseline: of the stereo
    pair [m]. steps: T_previous_current (N, 4, 4) [network units] of the frames, NaN where unknown (see
    known_motion.py), or None if a network predicts the motion.
    """

    clip: Clip
    selection: TargetSelection
    right: Clip | None = None
    partners: np.ndarray | None = None
    baseline: float = 0.0
    steps: np.ndarray | None = None

    @property
    def has_poses(self) -> bool:
        """Whether the camera's pose is recorded for some of the frames."""
        return bool(np.isfinite(self.clip.index.poses).all(axis=(1, 2)).any())

    def reference_motion(self, frame: int, offset: int) -> np.ndarray | None:
        """T_source_target (4, 4) [m] to the neighbour at `offset` steps, None without recorded poses."""
        target, source = (self.clip.index.poses[number] for number in (frame, frame + offset * self.selection.step))
        if not (np.isfinite(target).all() and np.isfinite(source).all()):
            return None
        return invert(source) @ target

    def known_motion(self, frame: int, offset: int) -> np.ndarray | None:
        """T_source_target (4, 4) [network units] to the neighbour at `offset` steps, None if unknown."""
        if self.steps is None:
            return None
        source = frame + offset * self.selection.step
        T_first_last = np.eye(4)
        for step in self.steps[min(frame, source) + 1 : max(frame, source) + 1]:
            T_first_last = T_first_last @ step
        if not np.isfinite(T_first_last).all():
            return None
        return T_first_last if source < frame else invert(T_first_last)


@dataclass(eq=False)
class Dataset:
    """Samples of all recordings, which it closes.

    chains: validation samples that follow each other at one step, for trajectories. size: (width, height) of the
    networks' input. checkpoint_size, training_camera: the input's size and normalised intrinsics that the checkpoint's
    header states; another size than `size` if the networks see a camera of another aspect as a whole (see
    network_input.py). pose_interval: time from a target to its neighbours [s]. metres_per_unit: metres per network
    unit, from a stereo baseline, a known motion, reference depth or a checkpoint whose depth is kept, else NaN;
    scale_origin: its origin. depth_range: nearest and farthest reference depth that teaches [m]; None if none teaches.
    notes: lines for the user.
    """

    recordings: list[TrainingRecording]
    training: list[Sample]
    validation: list[Sample]
    chains: list[list[Sample]]
    size: tuple[int, int]
    checkpoint_size: tuple[int, int]
    training_camera: tuple[float, float, float, float]
    pose_interval: float
    metres_per_unit: float
    sources: str
    notes: list[str] = field(default_factory=list)
    scale_origin: str = ""
    depth_range: tuple[float, float] | None = None

    @property
    def is_calibrated(self) -> bool:
        """Whether all cameras are calibrated; a guessed focal length makes no metres."""
        cameras = (camera for recording in self.recordings for camera in recording.clip.index.cameras)
        return all(camera.is_calibrated for camera in cameras)

    def close(self) -> None:
        """Close all recordings, even if one of them cannot be closed."""
        with ExitStack() as sources:
            for recording in self.recordings:
                for clip in filter(None, (recording.clip, recording.right)):
                    sources.callback(clip.source.close)

    def __enter__(self) -> "Dataset":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def name(self, sample: Sample) -> str:
        """Name of a sample in messages: the recording and the time in it."""
        clip = self.recordings[sample.clip].clip
        seconds = (clip.index.stamps_ns[sample.frame] - clip.index.stamps_ns[0]) * 1e-9
        return f"{clip.name} at {seconds:.2f} s"

    def frames(self, sample: Sample) -> dict[Source, tuple[Clip, int]]:
        """Clip and frame number of the target and of each source."""
        recording = self.recordings[sample.clip]
        frames: dict[Source, tuple[Clip, int]] = {TARGET: (recording.clip, sample.frame)}
        if self.has_neighbours:
            step = recording.selection.step
            frames |= {-1: (recording.clip, sample.frame - step), 1: (recording.clip, sample.frame + step)}
        if self.has_partner:
            frames[STEREO] = (recording.right, int(recording.partners[sample.frame]))
        return frames

    @property
    def has_neighbours(self) -> bool:
        """Whether samples have neighbours in time."""
        return self.sources in ("mono", "both")

    @property
    def has_partner(self) -> bool:
        """Whether samples have an image of the other camera of a stereo pair."""
        return self.sources in ("stereo", "both")

    def reference(self, sample: Sample) -> np.ndarray | None:
        """Points (3, N) of the reference depth that teaches, see `reference_points`; None if none does."""
        if self.depth_range is None:
            return None
        return self.recordings[sample.clip].clip.reference(sample.frame, self.depth_range)

    def batch(
        self,
        samples: list[Sample],
        images: list[dict[Source, np.ndarray]],
        references: list[np.ndarray | None] | None = None,
    ) -> Batch:
        """Stack samples on the CPU.

        images: (H, W, 3) uint8 RGB of each sample, by source. references: see `reference`.
        """
        stacked = {
            source: torch.from_numpy(np.stack([image[source] for image in images])).permute(0, 3, 1, 2)
            for source in images[0]
        }
        K, valid, factors = [], [], []
        known: dict[Source, list[np.ndarray]] = {}
        distances: dict[Source, list[float]] = {-1: [], 1: []}
        for sample in samples:
            recording = self.recordings[sample.clip]
            view = recording.clip.view(sample.frame)
            K.append(view.camera.K)
            factors.append(view.depth_factor)
            mask = recording.clip.valid(sample.frame)
            valid.append(np.ones(recording.clip.size[::-1], bool) if mask is None else mask)
            for source, T in self._known_motions(recording, sample.frame).items():
                known.setdefault(source, []).append(T)
            for offset, lengths in distances.items():
                lengths.append(self._distance(recording, sample.frame, offset) if self.has_neighbours else np.nan)
        masks = np.stack(valid)[:, None]
        return Batch(
            images=stacked,
            network_images=stacked,
            K=torch.tensor(np.array(K), dtype=torch.float32),
            known_motions={source: torch.tensor(np.array(T), dtype=torch.float32) for source, T in known.items()},
            distances={offset: torch.tensor(lengths, dtype=torch.float32) for offset, lengths in distances.items()},
            depth_factor=None if set(factors) == {1.0} else torch.tensor(factors, dtype=torch.float32),
            valid=None if masks.all() else torch.from_numpy(masks),
            reference=self._stacked_references(references),
            names=tuple(self.name(sample) for sample in samples),
        )

    def _stacked_references(self, references: list[np.ndarray | None] | None) -> torch.Tensor | None:
        if self.depth_range is None or references is None:
            return None
        points = np.stack([points for points in references if points is not None])
        points[:, 2] /= self.metres_per_unit
        return torch.from_numpy(points)

    def _known_motions(self, recording: TrainingRecording, frame: int) -> dict[Source, np.ndarray]:
        """T_source_target (4, 4) [network units] of the sources with known motion."""
        motions: dict[Source, np.ndarray] = {}
        if self.has_neighbours and recording.steps is not None:
            motions |= {offset: recording.known_motion(frame, offset) for offset in (-1, 1)}
        if self.has_partner:
            motions[STEREO] = np.eye(4)
            motions[STEREO][0, 3] = -recording.baseline / self.metres_per_unit
        return motions

    def _distance(self, recording: TrainingRecording, frame: int, offset: int) -> float:
        """Distance that the camera moved [network units, or metres if these are not determined]; NaN without poses."""
        T = recording.reference_motion(frame, offset)
        if T is None:
            return float("nan")
        metres = float(np.linalg.norm(T[:3, 3]))
        return metres / self.metres_per_unit if np.isfinite(self.metres_per_unit) else metres
