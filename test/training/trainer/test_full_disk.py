# SPDX-License-Identifier: Apache-2.0
"""Files of a training that cannot be written: it ends in order, and resumes as if nothing had happened."""

import contextlib
import os
import resource
import shutil

import pytest
import torch
from small_training import SMALL

from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.run_log import NAME as LOG
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.state import load_state
from monodepth_ros.training.trainer import BEST, LAST, STATE, NotWritten, Trainer

CHANGES = {"loop.max_steps": 6, "loop.save_every": 2, "loop.validate_every": 3}


@contextlib.contextmanager
def largest_file(size):
    """No file can grow beyond `size` bytes in the block, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def train(drive):
    config = replace(TrainConfig(), {"data.recordings": [str(drive)], **SMALL, **CHANGES})
    dataset = open_dataset(config.data, config.networks)

    def run(folder, resume=False, after=lambda step: None):
        folder.mkdir(exist_ok=True)
        with Trainer(config, dataset, folder, resume, report=lambda progress: after(progress.step)) as trainer:
            return trainer.run()

    with dataset:
        yield run


@pytest.fixture(scope="module")
def whole(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    train(folder)
    return folder


def assert_same(found, expected):
    states = [load_state(folder / STATE) for folder in (found, expected)]
    assert states[0].best == states[1].best
    assert all(torch.equal(value, states[1].weights[name]) for name, value in states[0].weights.items())
    logs = [[(line["step"], line["kind"]) for line in read_log(folder)] for folder in (found, expected)]
    assert logs[0] == logs[1]
    assert (found / BEST).read_bytes() == (expected / BEST).read_bytes()


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize(
    ("step", "size", "file", "saved"),
    [
        (1, 0, "last.safetensors", 0),
        (1, 20_000_000, "state.pt", 0),
        (2, 1000, "last.safetensors", 0),
        (3, 1000, "best.safetensors", 2),
        (5, 1000, "last.safetensors", 4),
        (6, 20_000_000, "state.pt", 4),
    ],
)
def test_a_full_disk_ends_a_training_in_order_and_it_resumes_bit_for_bit(
    train, whole, tmp_path, step, size, file, saved
):
    with contextlib.ExitStack() as stack:

        def after(done):
            if done == step:
                stack.enter_context(largest_file(size))

        with pytest.raises(NotWritten, match=rf"{file} cannot be written.*saved up to step {saved}$") as caught:
            train(tmp_path / "t", after=after)
    assert "\n" not in str(caught.value) and leftovers(tmp_path / "t") == []
    assert load_state(tmp_path / "t" / STATE).step == saved
    assert train(tmp_path / "t", resume=True)
    assert_same(tmp_path / "t", whole)


def test_a_disk_without_room_is_found_before_the_first_step(train, tmp_path):
    steps = []
    with largest_file(1000), pytest.raises(NotWritten, match="last.safetensors cannot be written.*nothing .* is saved"):
        train(tmp_path / "t", after=steps.append)
    assert steps == [] and os.listdir(tmp_path / "t") == [LOG]


def test_a_log_that_cannot_be_written_ends_a_training_with_its_state(train, whole, tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    folder = tmp_path / "t"

    def after(step):
        if step == 3:
            (folder / LOG).rename(folder / "kept")
            (folder / LOG).symlink_to("/dev/full")

    with pytest.raises(NotWritten, match=r"log.jsonl cannot be written: No space left .*saved up to step 3$"):
        train(folder, after=after)
    (folder / "kept").replace(folder / LOG)
    assert train(folder, resume=True)
    assert load_state(folder / STATE).step == 6
    missing = {(3, "train"), (3, "validation")}
    logs = [{(line["step"], line["kind"]) for line in read_log(path)} for path in (whole, folder)]
    assert logs[0] - logs[1] == missing


def test_half_a_line_never_stays_in_the_log(train, tmp_path):
    folder = tmp_path / "t"
    with contextlib.ExitStack() as stack:

        def after(step):
            if step == 1:
                stack.enter_context(largest_file((folder / LOG).stat().st_size + 50))

        with pytest.raises(NotWritten):
            train(folder, after=after)
    assert (folder / LOG).read_bytes().endswith(b"}\n")
    assert [line["step"] for line in read_log(folder)] == [0]


def test_a_folder_that_is_removed_ends_a_training_with_one_line(train, tmp_path):
    with pytest.raises(NotWritten, match=r"cannot be written.*No such file or directory.*nothing of this training"):
        train(tmp_path / "t", after=lambda step: shutil.rmtree(tmp_path / "t", ignore_errors=True))
    assert not (tmp_path / "t").exists()


def test_a_training_that_ended_early_resumes_from_its_first_state(train, whole, tmp_path):
    folder = tmp_path / "t"

    def fail(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder, after=fail)
    assert load_state(folder / STATE).step == 0 and (folder / LAST).exists()
    train(folder, resume=True)
    assert_same(folder, whole)
