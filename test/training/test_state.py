# SPDX-License-Identifier: Apache-2.0
"""Saved states of a training."""

import os

import pytest
import torch

from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.state import TrainingState, load_state, save_state
from monodepth_ros.training.trainer import STATE


def test_a_full_disk_is_one_line_and_the_old_state_stays(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    state = TrainingState(1, {"w": torch.ones(3)}, {}, {})
    save_state(state, tmp_path / STATE)
    partial = tmp_path / f".{STATE}.{os.getpid()}"
    partial.symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="state.pt cannot be written: No space left on device"):
        save_state(TrainingState(2, {"w": torch.ones(300000)}, {}, {}), tmp_path / STATE)
    assert load_state(tmp_path / STATE).step == 1
    assert not partial.is_symlink()


@pytest.mark.parametrize("content", [b"", b"no state", None])
def test_a_file_that_is_not_a_state_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / STATE).write_bytes(content)
    with pytest.raises(TrainingError, match="nothing to resume" if content is None else "damaged|not a training state"):
        load_state(tmp_path / STATE)
