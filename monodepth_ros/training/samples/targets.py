# SPDX-License-Identifier: Apache-2.0
"""Selection of the frames that are targets of samples, and of those for validation."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.data.frame_index import FrameIndex

# An interval longer than this many usual ones is a gap, which ends a run.
GAP = 1.5
# Image motion from a target to its neighbours that the step is chosen for, as a share of the width: that of driving
# data at 10 Hz.
VISIBLE_MOTION = 0.008
MAX_INTERVAL = 0.5  # between the frames of a pair that the step is chosen for [s]
# Validation is one block at the end of each period [s], and at most this share of it.
BLOCK_PERIOD = 60.0
LARGEST_SHARE = 1 / 3


@dataclass(frozen=True)
class TargetSelection:
    """Frames of a recording that can be targets.

    targets: frame numbers. step: number of frames from a target to its neighbours. static_share: share of the triplets
    that are left out because the image does not move. runs: number of stretches without a gap.
    """

    targets: np.ndarray
    step: int
    static_share: float
    runs: int


def select_targets(index: FrameIndex, step: int, min_motion: float, in_time: bool = True) -> TargetSelection:
    """Select frames with neighbours `step` frames before and after, in one run and under one calibration, and an image
    motion between them of at least `min_motion` [share of the width].

    step: 0 chooses it by `visible_step`. in_time: False for stereo alone, where every frame is a target.
    """
    count = len(index)
    step = step or visible_step(index, min_motion)
    broken = breaks(index)
    runs = int(broken.sum()) + 1
    if not in_time:
        return TargetSelection(np.arange(count), step, 0.0, runs)
    # Number of breaks before each frame: equal at both ends of an unbroken triplet.
    run = np.concatenate(([0], np.cumsum(broken)))
    targets = np.arange(step, count - step)
    targets = targets[run[targets - step] == run[targets + step]] if len(targets) else targets
    moved = np.concatenate(([0.0], np.cumsum(np.nan_to_num(index.flow[1:]))))
    motion = np.maximum(moved[targets] - moved[targets - step], moved[targets + step] - moved[targets])
    moving = motion >= min_motion
    static = 1.0 - float(moving.mean()) if len(targets) else 0.0
    return TargetSelection(targets[moving], step, static, runs)


def visible_step(index: FrameIndex, min_motion: float) -> int:
    """Smallest number of frames over which the image usually moves by VISIBLE_MOTION, within MAX_INTERVAL."""
    flow = index.flow[np.isfinite(index.flow) & (index.flow >= min_motion / 4)]
    if len(flow) == 0 or not index.interval > 0:
        return 1
    longest = max(1, int(MAX_INTERVAL / index.interval))
    return int(np.clip(np.ceil(VISIBLE_MOTION / np.median(flow)), 1, longest))


def split(index: FrameIndex, targets: np.ndarray, step: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Split targets into (training, validation): blocks of time are held out, and no frame is in samples of both.

    In a short recording a block is longer than `share`, up to a third, so that it holds a sample or two.
    """
    if share == 0 or len(targets) == 0:
        return targets, targets[:0]
    # From the first sample to the last, because a vehicle may stand still for long before and after.
    begin, end = max(0, int(targets[0]) - step), min(len(index) - 1, int(targets[-1]) + step)
    seconds = (index.stamps_ns - index.stamps_ns[begin]) * 1e-9
    length = float(seconds[end])
    blocks = max(1, round(length / BLOCK_PERIOD))
    share = min(max(share, (2 * step + 2.5) * blocks / (end - begin + 1)), max(share, LARGEST_SHARE))
    period = length / blocks + 1e-9
    kept = (seconds % period) >= (1.0 - share) * period
    seen = np.concatenate(([0], np.cumsum(kept)))  # number of held-out frames before each frame
    first, last = np.maximum(targets - step, 0), np.minimum(targets + step, len(index) - 1)
    inside = seen[last + 1] - seen[first]
    return targets[inside == 0], targets[inside == last - first + 1]


def breaks(index: FrameIndex) -> np.ndarray:
    """(N - 1,) bool: whether a run ends between a frame and the next one."""
    gaps = np.diff(index.stamps_ns) * 1e-9 > GAP * index.interval
    return gaps | (np.diff(index.camera_ids) != 0)


def pair_by_time(stamps_ns: np.ndarray, others_ns: np.ndarray, tolerance: float) -> np.ndarray:
    """Number of the other stamp nearest to each stamp, or -1 if none is within `tolerance` [s]. Both are ascending."""
    if len(others_ns) == 0:
        return np.full(len(stamps_ns), -1)
    after = np.searchsorted(others_ns, stamps_ns).clip(0, len(others_ns) - 1)
    before = (after - 1).clip(0)
    nearer = np.abs(others_ns[before] - stamps_ns) <= np.abs(others_ns[after] - stamps_ns)
    nearest = np.where(nearer, before, after)
    return np.where(np.abs(others_ns[nearest] - stamps_ns) <= tolerance * 1e9, nearest, -1)
