# SPDX-License-Identifier: Apache-2.0
"""A training from its settings to its report: what stands around the `Trainer`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.output_file import write_file
from monodepth_ros.results_folder import new_results_folder
from monodepth_ros.settings.files import read_assignments, read_settings
from monodepth_ros.settings.schema import ConfigError, replace
from monodepth_ros.training.config import TrainConfig, network_settings
from monodepth_ros.training.presets import PRESETS
from monodepth_ros.training.report import write_report
from monodepth_ros.training.run_log import read_log
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.samples.dataset import Dataset
from monodepth_ros.training.samples.known_depth import add_known_depth
from monodepth_ros.training.samples.known_motion import add_known_motion
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import BEST, LAST, Trainer
from monodepth_ros.training.training_folder import SETTINGS, settings_text
from monodepth_ros.training.verdict import reason_against_learning

FIGURES = ("loss", "spread", "abs_rel", "a1", "ate_5", "rotation_error")  # of a validation, as far as it has them

Progress = Callable[[str, int, int | None], None]
"""Called with (what is done, frames done, all frames or None) during a pass over a recording."""


def training_config(
    preset: str = "monodepth2",
    file: str = "",
    assignments: Iterable[str] = (),
    changes: Mapping[str, Any] = {},
    is_resumed: bool = False,
) -> TrainConfig:
    """Settings of a training: the preset, then the YAML file, then assignments ('name=value') and changes.

    Fine-tuning (networks.start_from) takes the networks, input size and depth range from the checkpoint, unless the
    file or an assignment names them; a resumed training keeps those of its file. Raises ConfigError, and
    CheckpointError for networks.start_from.
    """
    config = replace(TrainConfig(), PRESETS[preset])
    settings: dict[str, Any] = {}
    if file:
        settings = read_settings(file)
        try:
            config = replace(config, settings)
        except ConfigError as error:
            raise ConfigError(f"{file}: {error}") from None
    assigned = read_assignments(assignments)
    # In one step, because a value may be valid only together with another one.
    config = replace(config, assigned | dict(changes))
    if config.networks.start_from and not is_resumed:
        config = _like_checkpoint(config, settings.keys() | assigned.keys())
    return config


def _like_checkpoint(config: TrainConfig, given: Collection[str]) -> TrainConfig:
    """The settings with the networks, input size and depth range of the checkpoint, except for the names in `given`."""
    taken = network_settings(load_checkpoint(config.networks.start_from).header)
    return replace(config, {name: value for name, value in taken.items() if name not in given})


def open_training_data(config: TrainConfig, progress: Progress | None = None) -> Dataset:
    """Open the recordings, and add what is known of them (`add_known`).

    Raises TrainingError for recordings that cannot be learned from, and what `open_source` raises.
    """
    dataset = open_dataset(config.data, config.networks, reporting("indexing", progress))
    add_known(dataset, config, progress)
    return dataset


def add_known(dataset: Dataset, config: TrainConfig, progress: Progress | None = None) -> None:
    """Add the motion that data.motion names and the depth that objective.depth asks for; closes the data set if it
    fails.

    Raises TrainingError if they are not available.
    """
    try:
        add_known_motion(dataset, config, reporting("tracking features through", progress))
        add_known_depth(dataset, config)
    except BaseException:
        dataset.close()
        raise


def reporting(task: str, progress: Progress | None) -> Progress | None:
    """The progress of a task whose calls name the recording alone."""
    return progress and (lambda name, count, total: progress(f"{task} {name}", count, total))


def make_training_folder(config: TrainConfig, kind: str = "train", root: Path = Path("results")) -> Path:
    """Make the folder <root>/<kind>/<time>/ and write the settings into it. Raises MonodepthError."""
    path = new_results_folder(root / kind)
    write_file(path / SETTINGS, settings_text(config))
    return path


def conclude(trainer: Trainer, is_finished: bool) -> list[tuple[str, str]]:
    """Write report.html; returns (name, value) lines for the user: validations, verdict, checkpoint, report, how to
    continue. Raises MonodepthError if the page cannot be written, with what is saved."""
    folder = trainer.folder
    validations = [line for line in read_log(folder) if line["kind"] == "validation"]
    lines = []
    for moment, line in zip(("before", "after"), (validations[:1], validations[-1:])):
        if line:
            lines.append((f"validation {moment}", figures_text(line[0], FIGURES)))
    verdict = reason_against_learning(validations)
    if verdict:
        lines.append(("verdict", verdict))
    facts = [("networks", trainer.header().summary()), ("steps", f"{trainer.step} of {trainer.steps}")]
    facts += [("data", note) for note in trainer.dataset.notes]
    try:
        write_report(folder, [*facts, *lines], trainer.pictures, trainer.trajectories)
    except MonodepthError as error:
        raise TrainingError(f"{error}; the networks are saved in {trained_checkpoint(folder)}") from None
    lines.append(("checkpoint", str(trained_checkpoint(folder))))
    lines.append(("report", str(folder / "report.html")))
    if not is_finished:
        lines.append(("stopped", f"monodepth train --resume {folder}"))
    return lines


def trained_checkpoint(folder: Path) -> Path:
    """The checkpoint of a training: the best one by validation, else the last one."""
    best = folder / BEST
    return best if best.exists() else folder / LAST


def figures_text(validation: Mapping[str, Any], names: Sequence[str]) -> str:
    """The named figures of a validation's line of the log, and its step."""
    shown = ", ".join(f"{name} {validation[name]:.4g}" for name in names if validation.get(name) is not None)
    return f"{shown} (step {validation.get('step', 0)})"
