# SPDX-License-Identifier: Apache-2.0
"""Selection of targets and of the validation blocks."""

import numpy as np
import pytest

from monodepth_ros.data.frame_index import FrameIndex
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.training.samples.targets import pair_by_time, select_targets, split, visible_step


def index_of(count=100, rate=10.0, flow=0.01, breaks=(), cameras=None):
    """A frame index without a recording. A second is missing before each frame of `breaks`."""
    stamps = np.arange(count) / rate
    for place in breaks:
        stamps[place:] += 1.0
    flows = np.broadcast_to(np.asarray(flow, float), (count,)).copy()
    flows[0] = np.nan
    ids = np.zeros(count, int) if cameras is None else np.asarray(cameras)
    model = CameraModel.pinhole(160, 64, 90.0, 90.0, 79.5, 31.5)
    return FrameIndex(
        stamps_ns=(stamps * 1e9).astype(np.int64),
        received_ns=(stamps * 1e9).astype(np.int64),
        camera_ids=ids,
        cameras=(model,) * (ids.max() + 1),
        poses=np.full((count, 4, 4), np.nan),
        has_depth=np.zeros(count, bool),
        flow=flows,
        sharpness=np.ones(count),
        left_out={},
    )


def test_a_gap_ends_a_run():
    selection = select_targets(index_of(20, breaks=(8,)), 2, 0.001)
    assert selection.targets.tolist() == [2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17]
    assert (selection.step, selection.runs) == (2, 2)


def test_another_calibration_ends_a_run():
    selection = select_targets(index_of(10, cameras=[0] * 5 + [1] * 5), 1, 0.001)
    assert selection.targets.tolist() == [1, 2, 3, 6, 7, 8]


def test_static_frames_are_left_out_and_counted():
    flow = np.full(30, 0.01)
    flow[10:20] = 0.0002
    selection = select_targets(index_of(30, flow=flow), 1, 0.001)
    assert selection.targets.tolist() == [*range(1, 10), *range(19, 29)]
    assert selection.static_share == pytest.approx(9 / 28)


def test_slow_steps_add_up_over_a_longer_step():
    index = index_of(30, flow=0.0006)
    assert len(select_targets(index, 1, 0.001).targets) == 0
    assert len(select_targets(index, 3, 0.001).targets) == 24


@pytest.mark.parametrize(("rate", "flow", "expected"), [(10, 0.01, 1), (30, 0.003, 3), (30, 0.0003, 15), (10, 0.05, 1)])
def test_the_step_is_chosen_so_that_the_image_moves(rate, flow, expected):
    assert visible_step(index_of(60, rate, flow), 0.001) == expected


def test_training_and_validation_share_no_frame_and_keep_to_blocks_of_time():
    index = index_of(1800)
    targets = select_targets(index, 2, 0.001).targets
    ours, held_out = split(index, targets, 2, 0.1)

    def frames(chosen):
        return {frame + offset for frame in chosen for offset in (-2, 0, 2)}

    assert not frames(ours) & frames(held_out)
    assert 0.08 < len(held_out) / len(targets) < 0.1
    assert np.count_nonzero(np.diff(held_out) > 1) == 2  # three minutes, three blocks
    assert split(index, targets, 2, 0.0)[1].size == 0


def test_a_recording_that_ends_at_rest_still_has_validation_samples():
    flow = np.full(100, 0.01)
    flow[70:] = 0.0
    index = index_of(100, flow=flow)
    targets = select_targets(index, 1, 0.001).targets
    ours, held_out = split(index, targets, 1, 0.1)
    assert len(held_out) >= 4 and held_out.max() <= 70 and ours.max() < held_out.min(), (ours, held_out)


def test_stereo_pairs_are_found_by_stamp():
    left, right = np.array([0, 100, 200, 300]) * 1_000_000, np.array([4, 101, 260]) * 1_000_000
    assert pair_by_time(left, right, 0.01).tolist() == [0, 1, -1, -1]
    assert pair_by_time(left, right[:0], 0.01).tolist() == [-1] * 4
