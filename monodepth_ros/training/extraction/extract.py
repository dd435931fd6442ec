# SPDX-License-Identifier: Apache-2.0
"""Extraction of a recording into a folder in KITTI's layout, for other tools and for trainings from files."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.data.sources.open_source import Place, open_source
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceFrame, SourceOptions
from monodepth_ros.data.sources.stereo_partner import one_camera, stereo_partner
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import invert, make_transform
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.own_outputs import marked_json
from monodepth_ros.training.extraction.dataset_folder import DatasetFolder, DatasetFolderError, check_folder
from monodepth_ros.training.extraction.rectified_depth import RectifiedDepth
from monodepth_ros.training.samples.open_dataset import STEREO_TOLERANCE

MASK = "mask.png"
FACTS = "extract.json"
MIN_BASELINE = 1e-4  # [m]


class ExtractionError(MonodepthError):
    """A recording that cannot be extracted as requested."""


@dataclass(frozen=True)
class ExtractionSettings:
    """Settings of an extraction.

    rectified: write rectified images, else images as published. jpeg: quality; 0: PNG. stereo: write the right camera
    as well, if there is one. stereo_topic: its topic; '': found by name. frames: maximum number of frames; 0: all.
    """

    rectified: bool = True
    jpeg: int = 0
    stereo: bool = True
    stereo_topic: str = ""
    frames: int = 0


class Extraction:
    """Extraction of one camera or a stereo pair of the recording at `path` into the folder `out`, by `process`.

    expected: number of frames to write, None if unknown. notes: lines for the user. After `process`, outcome:
    (name, value) lines; training_words: what a training of the folder has to be told.
    Raises what `open_source` raises, and DatasetFolderError for a folder that is not empty.
    """

    def __init__(self, path: Place, options: SourceOptions, settings: ExtractionSettings, out: str | Path):
        check_folder(Path(out))
        self._path, self._settings, self._out = path, settings, Path(out)
        options, note = one_camera(path, options)
        self.notes: list[str] = []
        self.left = open_source(path, options)
        self.right: FrameSource | None = None
        self._right_camera: CameraModel | None = None
        try:
            wanted = settings.stereo and stereo_partner(path, options, self.left, settings.stereo_topic)
            if wanted:
                self.right = open_source(path, wanted)
                with open_source(path, wanted) as again:
                    self._right_camera = next((frame.camera for frame in again.frames()), None)
        except BaseException:
            self.close()
            raise
        if note and self.right is None:
            self.notes.append(note)
        self.notes += self.left.notes
        count = self.left.frame_count
        self.expected = min(count, settings.frames) if count and settings.frames else count or settings.frames or None
        self.outcome: list[tuple[str, str]] = []
        self.training_words: list[str] = []

    def close(self) -> None:
        """Close the recording."""
        self.left.close()
        if self.right is not None:
            self.right.close()

    def __enter__(self) -> "Extraction":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def process(self, step: Callable[[], None], is_stopped: Callable[[], bool]) -> None:
        """Write all frames, or stop between two frames once is_stopped() is true. step: called after each frame.

        Raises DatasetFolderError if the disk is full, and the errors of the recording; the frames so far can be used,
        and `outcome` tells of them.
        """
        rights = growing(self.right.frames(), self.right) if self.right is not None else iter(())
        pairs = paired(growing(self.left.frames(), self.left), rights, STEREO_TOLERANCE)
        first = next(pairs, None)
        if first is None:
            reasons = (
                "; ".join(f"{count} left out: {reason}" for reason, count in few_reasons(self.left.left_out))
                or "it is empty"
            )
            raise SourceError(f"{self.left.description} has no usable images ({reasons})")
        left, right = first
        baseline = 0.0
        if self._right_camera is not None and self._right_camera.is_calibrated and left.camera.is_calibrated:
            baseline = self._right_camera.baseline - left.camera.baseline
        writers = {}
        gray = left.pixels.layout == "mono"
        writers[0 if gray else 2] = _Images(left.camera, self._settings.rectified)
        if baseline > MIN_BASELINE:
            writers[1 if gray else 3] = _Images(self._right_camera, self._settings.rectified)
        elif self.right is not None:
            self.notes.append(f"the right camera is left out: its P[0, 3] gives a baseline of {baseline:.3f} m")
        folder = DatasetFolder(self._out, {n: images.camera for n, images in writers.items()}, self._settings.jpeg)
        mask = next(iter(writers.values())).valid
        if mask is not None:
            folder.write_picture(MASK, mask.astype(np.uint8) * 255)
        counts = {"frames": 0, "right frames": 0, "with depth": 0, "with pose": 0}
        # The earlier one of both cameras, so that no time is negative.
        begin_ns = min(left.stamp_ns, right.stamp_ns if right else left.stamp_ns)
        try:
            while True:
                _write_pair(folder, writers, left, right, begin_ns=begin_ns, counts=counts)
                step()
                if is_stopped() or counts["frames"] == self._settings.frames:
                    break
                following = next(pairs, None)
                if following is None:
                    break
                left, right = following
        except BaseException:
            folder.take_back()
            with suppress(DatasetFolderError):
                self._write_facts(folder, counts, begin_ns, baseline)
            raise
        finally:
            self._conclude(counts, writers, baseline, mask)
        self._write_facts(folder, counts, begin_ns, baseline)

    def _write_facts(self, folder: DatasetFolder, counts: dict[str, int], begin_ns: int, baseline: float) -> None:
        facts = marked_json(self._facts(counts, begin_ns, baseline), "extract")
        folder.write_text(FACTS, json.dumps(facts, indent=2) + "\n")

    def _conclude(self, counts: dict[str, int], writers: dict, baseline: float, mask: np.ndarray | None) -> None:
        names = [f"image_{number}" for number in writers]
        self.outcome = [("images", f"{counts['frames']} in {self._out / names[0]}")]
        if len(names) > 1:
            text = f"{counts['right frames']} in {self._out / names[1]}, {baseline:.4f} m to the right"
            self.outcome.append(("right images", text))
        truth = [f"{counts['with depth']} depth images"] if counts["with depth"] else []
        truth += [f"{counts['with pose']} poses"] if counts["with pose"] else []
        if truth:
            self.outcome.append(("ground truth", ", ".join(truth)))
        self.outcome += [("left out", f"{count}: {reason}") for reason, count in few_reasons(self.left.left_out)]
        self.training_words = ["--set", f"data.mask_file={self._out / MASK}"] if mask is not None else []
        camera = writers[int(names[0][-1])].camera
        guess = CameraModel.uncalibrated(camera.width, camera.height).field_of_view
        if not camera.is_calibrated and camera.field_of_view != guess:
            # Stated, or known from EXIF data, which the written images lack.
            self.training_words += ["--field-of-view", f"{camera.field_of_view:.1f}"]

    def _facts(self, counts: dict[str, int], begin_ns: int, baseline: float) -> dict:
        settings = self._settings
        return {
            "recording": str(self._path),
            "left": self.left.description,
            "right": self.right.description if self.right is not None and baseline > MIN_BASELINE else None,
            "baseline": baseline or None,
            "images": "rectified" if settings.rectified else "as published",
            "jpeg_quality": settings.jpeg or None,
            "stamp_of_time_0_ns": begin_ns,
            **{name.replace(" ", "_"): count for name, count in counts.items()},
            "left_out": dict(self.left.left_out),
        }


def _write_pair(
    folder: DatasetFolder,
    writers: dict[int, "_Images"],
    left: SourceFrame,
    right: SourceFrame | None,
    *,
    begin_ns: int,
    counts: dict[str, int],
) -> None:
    """Write a frame, with that of the right camera if there is one, and count it."""
    (first, images), *others = writers.items()
    number = counts["frames"]
    pixels, depth = images.of(left)
    pose = images.pose(left)
    folder.add_pose(pose)
    folder.add(first, number, (left.stamp_ns - begin_ns) * 1e-9, pixels, depth)
    is_pair = False
    if others and right is not None:
        other, other_images = others[0]
        pixels, other_depth = other_images.of(right)
        is_pair = folder.add(other, number, (right.stamp_ns - begin_ns) * 1e-9, pixels, other_depth)
    folder.end_frame()
    counts["frames"] += 1
    counts["right frames"] += is_pair
    counts["with depth"] += depth is not None
    counts["with pose"] += pose is not None


class _Images:
    """Renders the images of one camera for writing, all with the calibration `camera`."""

    def __init__(self, first: CameraModel, rectified: bool):
        self._is_rectified = rectified and first.is_calibrated
        # The same model if there is nothing to do, so that the images stay unchanged.
        self.camera = first.rectified() if self._is_rectified and not first.is_rectified else first
        self.valid = self._resampler(first).valid if self._is_rectified else None
        self._depths: dict[tuple, RectifiedDepth] = {}

    def of(self, frame: SourceFrame) -> tuple[Pixels, np.ndarray | None]:
        """Pixels and ground-truth depth of a frame.

        Raises ExtractionError if images as published change their calibration.
        """
        if frame.camera.key == self.camera.key or _are_uncalibrated(frame.camera, self.camera):
            return frame.pixels, frame.reference_depth
        if not self._is_rectified:
            raise ExtractionError(
                f"the calibration changes at frame {frame.name}, and a folder holds one calibration: leave"
                " --as-published out, or give --start and --duration"
            )
        pixels = replace(frame.pixels, array=self._resampler(frame.camera)(frame.pixels.array))
        if frame.reference_depth is None:
            return pixels, None
        depth = self._depths.setdefault(frame.camera.key, RectifiedDepth(frame.camera, self.camera))
        return pixels, depth(frame.reference_depth)

    def pose(self, frame: SourceFrame) -> np.ndarray | None:
        """T_world_rectified (4, 4) of a frame, None if unknown."""
        if frame.T_world_camera is None or not np.isfinite(frame.T_world_camera).all():
            return None
        return frame.T_world_camera @ invert(make_transform(frame.camera.R, (0.0, 0.0, 0.0)))

    def _resampler(self, camera: CameraModel) -> Resampler:
        return Resampler(camera, self.camera)


def _are_uncalibrated(one: CameraModel, other: CameraModel) -> bool:
    """Whether two cameras of one size have no calibration that could change: a zoom lens is as good as any."""
    return not (one.is_calibrated or other.is_calibrated) and (one.width, one.height) == (other.width, other.height)


def growing(frames: Iterable[SourceFrame], source: FrameSource) -> Iterator[SourceFrame]:
    """The frames with increasing times. The others count as left out, as in the frame index of a training."""
    last_ns = None
    for frame in frames:
        if last_ns is not None and frame.stamp_ns <= last_ns:
            source.left_out["stamps that do not increase"] += 1
            continue
        last_ns = frame.stamp_ns
        yield frame


def paired(
    lefts: Iterable[SourceFrame], rights: Iterator[SourceFrame], tolerance: float
) -> Iterator[tuple[SourceFrame, SourceFrame | None]]:
    """Each left frame with the right frame nearest in time, None if none is within `tolerance` [s].

    The same pairs as `training.samples.targets.pair_by_time`, from frames that are read once and in order.
    """
    margin = round(tolerance * 1e9)
    near: deque[SourceFrame] = deque()
    for left in lefts:
        while near and near[0].stamp_ns < left.stamp_ns - margin:
            near.popleft()
        while not near or near[-1].stamp_ns <= left.stamp_ns + margin:
            following = next(rights, None)
            if following is None:
                break
            if following.stamp_ns >= left.stamp_ns - margin:
                near.append(following)
        found = min(near, key=lambda right: abs(right.stamp_ns - left.stamp_ns), default=None)
        is_near = found is not None and abs(found.stamp_ns - left.stamp_ns) <= margin
        yield left, found if is_near else None
