# SPDX-License-Identifier: Apache-2.0
"""The depth of a checkpoint over the frames of a source, against their ground truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.data.sources.read_ahead import read_ahead
from monodepth_ros.data.sources.source import FrameSource, SourceFrame
from monodepth_ros.errors import MonodepthError
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.depth_report import DepthReport
from monodepth_ros.evaluation.split_file import SplitFile
from monodepth_ros.offline.depth_predictor import DepthPredictor

NO_TRUTH = (
    "expected a depth image beside the camera in a bag, a KITTI drive with proj_depth/groundtruth/ or"
    " proj_depth_png16/, or a data set with depth (TUM RGB-D, nuScenes)"
)


@dataclass(frozen=True)
class FrameChoice:
    """The frames to compare, and their ground truth.

    split: compare only its frames; None for all. archive: ground truth (H, W) [m] in the order of the split's lines (of
    the frames, without a split), instead of the source's own. frames: number of frames to compare, 0 for all.
    """

    split: SplitFile | None = None
    archive: Sequence[np.ndarray] | None = None
    frames: int = 0

    def __post_init__(self) -> None:
        if self.split is not None and self.archive is not None and len(self.split) != len(self.archive):
            raise EvaluationError(
                f"{self.split.path} has {len(self.split)} lines, the ground truth {len(self.archive)} images:"
                " expected as many"
            )

    def truth(self, frame: SourceFrame, line: int) -> np.ndarray | None:
        """The ground truth of a frame, None without any; line: the frame's line in the split, or its number."""
        if self.archive is None:
            return frame.reference_depth
        return self.archive[line] if line < len(self.archive) else None


def add_source(
    report: DepthReport,
    source: FrameSource,
    path: str,
    predictor: DepthPredictor,
    choice: FrameChoice = FrameChoice(),
    prefix: str = "",
    advanced: Callable[[], None] = lambda: None,
) -> int:
    """Add the frames of a source to a report, their names with a prefix; the number of frames that `choice` selects.

    The report counts the frames that cannot be compared, by reason. path: the source's path, for the split. `advanced`
    is called after each frame. EvaluationError if no frame has ground truth, or if the numbers of images in the archive
    and of frames in the source differ.
    """
    count = compared = chosen = 0
    without_truth = 0
    frames = read_ahead(source.frames())
    try:
        for number, frame in enumerate(frames):
            count += 1
            line = number if choice.split is None else choice.split.line_of(path, frame.name)
            if line is not None:
                chosen += 1
                truth = choice.truth(frame, line)
                if truth is None:
                    without_truth += 1
                else:
                    compared += 1
                    _add(report, prefix + frame.name, frame, truth, predictor)
            advanced()
            if chosen and chosen == choice.frames:
                break
    finally:
        frames.close()
    whole = choice.archive is not None and choice.split is None and not choice.frames
    if whole and count != len(choice.archive):
        raise EvaluationError(
            f"{source.description} has {count} frames, the ground truth {len(choice.archive)} images:"
            " expected as many, or a split file that names their frames"
        )
    if not compared and (chosen or choice.split is None):
        raise EvaluationError(
            f"{source.description}: no ground-truth depth in {chosen} frames; {source.why_no_depth() or NO_TRUTH}"
        )
    report.left_out.update(source.left_out)
    if without_truth:
        report.left_out["no ground-truth depth"] += without_truth
    return chosen


def _add(report: DepthReport, name: str, frame: SourceFrame, truth: np.ndarray, predictor: DepthPredictor) -> None:
    try:
        prediction = predictor(frame.pixels, frame.camera, truth.shape[::-1])
    except MonodepthError as error:  # such as a camera that the network has no view through
        report.left_out[str(error)] += 1
        return
    report.add(name, truth, prediction)
