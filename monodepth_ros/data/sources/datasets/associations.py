# SPDX-License-Identifier: Apache-2.0
"""Depth and poses that belong to images by their times."""

from collections.abc import Sequence

import numpy as np

from monodepth_ros.geometry.motion import interpolate

# As for recordings: depth lies within half the period of the images and at most this far from its image, and poses
# further apart than this are not interpolated.
DEPTH_GAP_NS = 50_000_000
POSE_GAP_NS = 250_000_000
SAME_NS = 1_000_000  # a pose this near is the image's


def nearest(stamps_ns: Sequence[int], candidates_ns: Sequence[int], limit_ns: int = DEPTH_GAP_NS) -> dict[int, int]:
    """For each of the increasing times the number of the nearest candidate (increasing too), by the number of the time.

    Those without a candidate within half the median period of the times, and within limit_ns, are missing.
    """
    wanted, there = np.array(stamps_ns, np.int64), np.array(candidates_ns, np.int64)
    if not len(there):
        return {}
    if len(wanted) > 1:
        limit_ns = min(limit_ns, int(np.median(np.diff(wanted))) // 2)
    after = np.searchsorted(there, wanted).clip(0, len(there) - 1)
    before = (after - 1).clip(0)
    chosen = np.where(wanted - there[before] <= there[after] - wanted, before, after)
    chosen = np.where(np.abs(there[before] - wanted) <= np.abs(there[after] - wanted), before, chosen)
    near = np.abs(there[chosen] - wanted) <= limit_ns
    return {int(i): int(chosen[i]) for i in np.flatnonzero(near)}


def poses_at(stamps_ns: Sequence[int], poses_ns: np.ndarray, poses: np.ndarray) -> dict[int, np.ndarray]:
    """Poses (4, 4) at times, by the number of the time: interpolated between poses at most POSE_GAP_NS apart.

    poses_ns: (N,) increasing times of the poses (N, 4, 4). Times before, after and in gaps of the poses are missing.
    """
    found = {}
    after = np.searchsorted(poses_ns, np.array(stamps_ns, np.int64))
    for number, (stamp, later) in enumerate(zip(stamps_ns, after)):
        around = [i for i in (later - 1, later) if 0 <= i < len(poses)]
        closest = min(around, key=lambda i: abs(int(poses_ns[i]) - stamp))
        if abs(int(poses_ns[closest]) - stamp) <= (SAME_NS if len(around) == 1 else 0):
            found[number] = poses[closest]
        elif len(around) == 2:
            first, second = (int(poses_ns[i]) for i in around)
            if second - first <= POSE_GAP_NS:
                found[number] = interpolate(*(poses[i] for i in around), (stamp - first) / (second - first))
    return found
