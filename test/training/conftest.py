# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of trainings."""

import pytest
import torch

from monodepth_ros.geometry.motion import invert
from monodepth_ros.synthetic.drive import Drive, default_camera, mounted
from monodepth_ros.training.samples.batch import Batch


@pytest.fixture(autouse=True)
def one_thread():
    """One thread, because there is little to compute and waiting threads cost more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def street():
    """A batch of three neighbouring frames of a street without traffic, with exact depth and motion."""
    drive = Drive(4, 1.0, cameras={"camera": mounted(default_camera(320, 96))}, traffic=False, changing_light=False)
    frames = {offset: drive.frame_at(0.5 + 0.1 * offset) for offset in (-1, 0, 1)}
    images = {o: torch.from_numpy(f.image.transpose(2, 0, 1).copy())[None].float() / 255 for o, f in frames.items()}
    motions = {
        o: torch.from_numpy(invert(frames[o].T_world_camera) @ frames[0].T_world_camera)[None].float() for o in (-1, 1)
    }
    depth = torch.from_numpy(frames[0].depth)[None, None]
    K = torch.tensor(default_camera(320, 96).K)[None].float()
    return Batch(images, images, K, names=("sample",)), depth, motions
