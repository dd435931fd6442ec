# SPDX-License-Identifier: Apache-2.0
"""Recordings opened for training: their clips, the samples in them, and batches of these."""

from dataclasses import dataclass, field

import numpy as np
import torch

from monodepth_ros.geometry.motion import invert
from monodepth_ros.training.samples.batch import STEREO, TARGET, Batch, Source
from monodepth_ros.training.samples.clip import Clip
from monodepth_ros.training.samples.selection import Choice

MIN_SAMPLES = 2


@dataclass(frozen=True)
class Sample:
    """A target: frame number `frame` of clip number `clip`."""

    clip: int
    frame: int


@dataclass(eq=False)
class TrainingRecording:
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

    def reference_motion(self, frame: int, offset: int) -> np.ndarray | None:
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

    recordings: list[TrainingRecording]
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

    def _known_motions(self, recorded: TrainingRecording, frame: int) -> dict[Source, np.ndarray]:
        """T_source_target (4, 4) in network units of the sources whose motion is known."""
        found: dict[Source, np.ndarray] = {}
        if self.sources != "stereo" and recorded.steps is not None:
            found |= {offset: recorded.known_motion(frame, offset) for offset in (-1, 1)}
        if self.sources != "mono":
            found[STEREO] = np.eye(4)
            found[STEREO][0, 3] = -recorded.baseline / self.metres_per_unit
        return found

    def _distance(self, recorded: TrainingRecording, frame: int, offset: int) -> float:
        """How far the camera moved in network units, or in metres where nothing else fixes these; NaN where the recording
        does not say."""
        T = recorded.reference_motion(frame, offset)
        if T is None:
            return float("nan")
        metres = float(np.linalg.norm(T[:3, 3]))
        return metres / self.metres_per_unit if np.isfinite(self.metres_per_unit) else metres
