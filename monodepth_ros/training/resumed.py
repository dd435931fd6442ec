# SPDX-License-Identifier: Apache-2.0
"""Networks of a training at its start: with initial weights, or with those of the state that it resumes from."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.learner import Learner, make_learner
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.state import TrainingState
from monodepth_ros.training.state_values import check_tensors


def start_learner(config: TrainConfig, state: TrainingState | None, path: Path) -> Learner:
    """The networks of the settings, with the weights of a state if there is one. path: the state's file.

    Raises TrainingError for the state of other networks, and CheckpointError for networks.start_from.
    """
    networks = config.networks
    if state is not None:  # the saved weights replace the initial ones
        networks = dataclasses.replace(networks, start_from="", encoder_weights="")
    learner = make_learner(networks, config.objective, config.loop.seed, config.data.sources, config.learns_motion)
    if state is not None:
        with about(path):
            load_learner(learner, "weights", state.weights)
    return learner


def load_learner(learner: Learner, name: str, weights: Mapping[str, Any]) -> None:
    """Load the weights that a state holds under `name`. Raises TrainingError for those of other networks."""
    advice = "it holds other networks than the settings; resume with the train.yaml beside it"
    check_tensors(name, weights, learner.state_dict(), advice)
    learner.load_state_dict(weights)


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Name the file in a TrainingError of the block."""
    try:
        yield
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from None
