# SPDX-License-Identifier: Apache-2.0
"""`monodepth train`: networks learned from recordings."""

import argparse
import functools
import math
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from monodepth_ros.training.presets import PRESETS

INTERRUPTED = 130
CONFIG = "train.yaml"
# Seconds between lines of progress where standard error is no terminal, and between redraws where it is.
LINE_PERIOD, DRAW_PERIOD = 10.0, 0.2


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "train",
        help="learn depth and motion from recordings, without ground truth",
        description="Learn a depth and a pose network from bags, image folders, KITTI folders or videos. Leaves checkpoints"
        " that the node and `monodepth run` take, a log and report.html in results/train/<time>/. Several GPUs:"
        " torchrun --nproc-per-node N -m monodepth_ros.cli.main train ...",
    )
    parser.add_argument("--data", nargs="+", default=[], metavar="RECORDING", help="one or more recordings")
    add_preset_argument(parser)
    parser.add_argument(
        "--config", default="", metavar="YAML", help="settings; `monodepth config --dump train` lists them all"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, such as optimizer.epochs=5; repeatable",
    )
    parser.add_argument(
        "--sources", choices=("mono", "stereo", "both"), help="what is reconstructed from (data.sources)"
    )
    parser.add_argument(
        "--from", dest="start_from", default="", metavar="CHECKPOINT", help="weights to begin with (fine-tuning)"
    )
    parser.add_argument("--epochs", type=int, help="passes over the data (optimizer.epochs)")
    parser.add_argument("--batch-size", type=int, help="samples per step (loop.batch_size)")
    parser.add_argument("--device", default="", help="auto, cpu, cuda or cuda:N (loop.device)")
    parser.add_argument(
        "--out", default="", metavar="DIR", help="folder of the results (default: results/train/<time>)"
    )
    parser.add_argument(
        "--resume", default="", metavar="DIR", help="go on in the folder of a training that was stopped"
    )
    parser.set_defaults(run=run)


def add_preset_argument(parser: argparse.ArgumentParser) -> None:
    """Add --preset, which `configuration` begins with."""
    parser.add_argument(
        "--preset",
        default="monodepth2",
        choices=tuple(PRESETS),
        help="settings to begin with: compact is for minutes on a CPU",
    )


def run(options: argparse.Namespace) -> int:
    """Train; 0, or 130 after control-C (everything is saved, --resume goes on). MonodepthError for bad input."""
    from monodepth_ros.training.processes import join_processes
    from monodepth_ros.training.trainer import Trainer

    config, folder = configuration(options)
    processes = join_processes(config.loop.device)
    try:
        with open_data(config, processes.is_first) as dataset:
            if processes.is_first:
                for note in dataset.notes:
                    print(note)
            folder = make_folder(folder, options.resume, config) if processes.is_first else Path(folder or ".")
            bar = Bar(processes.is_first)
            trainer = Trainer(config, dataset, folder, bool(options.resume), processes, bar)
            if processes.is_first:
                print(f"{trainer.header().summary()}; on {trainer.device}; {trainer.steps} steps; results in {folder}")
            is_finished = run_to_end(trainer, bar)
            if processes.is_first:
                finish(trainer, is_finished)
    finally:
        processes.end()
    return 0 if is_finished else INTERRUPTED


def configuration(options: argparse.Namespace):
    """(TrainConfig, folder or ''): the preset, then the file, then --set, then the options that are settings."""
    from monodepth_ros.settings.files import read_assignments, read_settings
    from monodepth_ros.settings.schema import replace
    from monodepth_ros.training.config import TrainConfig
    from monodepth_ros.training.samples.clip import TrainingError

    if options.resume and (options.config or options.out):
        raise TrainingError("--resume goes on with the folder's own settings: leave out --config and --out")
    path = str(Path(options.resume) / CONFIG) if options.resume else options.config
    config = replace(TrainConfig(), PRESETS[options.preset])
    if path:
        from monodepth_ros.settings.schema import ConfigError

        try:
            config = replace(config, read_settings(path))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
    given = {
        "data.recordings": options.data or None,
        "data.sources": options.sources,
        "networks.start_from": options.start_from or None,
        "optimizer.epochs": options.epochs,
        "loop.batch_size": options.batch_size,
        "loop.device": options.device or None,
    }
    # All at once: one may be right only with the other.
    changes = read_assignments(options.set) | {name: value for name, value in given.items() if value is not None}
    config = replace(config, changes)
    if config.networks.start_from and not options.resume:
        config = like_checkpoint(config, options)
    return config, options.resume or options.out


def like_checkpoint(config, options: argparse.Namespace):
    """Fine-tuning takes networks, size and range from the checkpoint, unless they were given."""
    from monodepth_ros.networks.checkpoint import load_checkpoint
    from monodepth_ros.settings.files import read_settings
    from monodepth_ros.settings.schema import replace

    header = load_checkpoint(config.networks.start_from).header
    given = {text.partition("=")[0].strip() for text in options.set}
    given |= set(read_settings(options.config)) if options.config else set()
    taken = {
        "networks.depth": header.depth_network,
        "networks.pose": header.pose_network or config.networks.pose,
        "networks.width": header.width,
        "networks.height": header.height,
        "networks.filter": header.filter,
        "networks.min_depth": header.min_depth,
        "networks.max_depth": header.max_depth,
    }
    return replace(config, {name: value for name, value in taken.items() if name not in given})


def open_data(config, is_first: bool, training_camera=None):
    """The dataset with the motion that data.motion names, saying on standard error how far the indexing is."""
    from monodepth_ros.training.samples.known_motion import add_known_motion
    from monodepth_ros.training.samples.open_dataset import open_dataset

    said = [0.0]

    def progress(path: str, count: int, total: int | None, doing: str = "indexing") -> None:
        now = time.monotonic()
        if is_first and (now - said[0] > 2.0):
            said[0] = now
            print(f"{doing} {path}: {count}{f' of {total}' if total else ''} frames", file=sys.stderr)

    dataset = open_dataset(config.data, config.networks, progress, training_camera)
    try:
        add_known_motion(dataset, config, functools.partial(progress, doing="following features through"))
    except BaseException:
        dataset.close()
        raise
    return dataset


def make_folder(folder: str, resume: str, config, kind: str = "train", root: Path = Path("results")) -> Path:
    """The results' folder with the settings in it; <root>/<kind>/<time>/ if none is given."""
    import yaml

    from monodepth_ros.results_folder import new_results_folder
    from monodepth_ros.settings.files import nested
    from monodepth_ros.settings.schema import values
    from monodepth_ros.training.samples.clip import TrainingError
    from monodepth_ros.training.trainer import STATE

    if not folder:
        path = new_results_folder(root / kind)
    else:
        path = Path(folder)
        if not resume and (path / STATE).exists():
            raise TrainingError(f"{path} holds a training already: --resume {path} goes on with it")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{path} cannot be made: {error.strerror or error}") from None
    settings = yaml.safe_dump(nested(values(config)), sort_keys=False)
    (path / CONFIG).write_text(settings, encoding="utf-8")
    return path


def finish(trainer, is_finished: bool) -> None:
    """The report, and the last words."""
    from monodepth_ros.training.report import write_report
    from monodepth_ros.training.run_log import read_log
    from monodepth_ros.training.trainer import BEST, LAST

    folder = trainer.folder
    validations = [line for line in read_log(folder) if line["kind"] == "validation"]
    facts = [("networks", trainer.header().summary()), ("steps", f"{trainer.step} of {trainer.steps}")]
    facts += [("data", note) for note in trainer.dataset.notes]
    names = ("loss", "abs_rel", "a1", "ate_5", "rotation_error")
    for title, line in zip(("before", "after"), (validations[:1], validations[-1:])):
        if line:
            shown = ", ".join(f"{name} {line[0][name]:.4g}" for name in names if line[0].get(name) is not None)
            facts.append((f"validation {title}", f"{shown} (step {line[0]['step']})"))
            print(f"validation {title:<7}{facts[-1][1]}")
    write_report(folder, facts, trainer.pictures, trainer.trajectories)
    best = folder / BEST
    print(f"checkpoint         {best if best.exists() else folder / LAST}")
    print(f"report             {folder / 'report.html'}")
    if not is_finished:
        print(f"stopped            monodepth train --resume {folder}")


class Bar:
    """Progress on standard error: a line that is redrawn on a terminal, lines now and then elsewhere."""

    def __init__(self, is_shown: bool):
        self._is_shown = is_shown
        self._is_terminal = sys.stderr.isatty()
        self._said = time.monotonic()
        self._width = 0

    def __call__(self, progress) -> None:
        now = time.monotonic()
        if not self._is_shown or now - self._said < (DRAW_PERIOD if self._is_terminal else LINE_PERIOD):
            return
        self._said = now
        loss = f"{progress.loss:.4f}" if math.isfinite(progress.loss) else "not finite"
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        text = (
            f"step {progress.step}/{progress.steps}, epoch {progress.epoch + 1}, loss {loss},"
            f" {progress.samples_per_second:.1f} samples/s, {100 * progress.waiting:.0f} % waiting for data,"
            f" {minutes // 60}:{minutes % 60:02d}:{seconds:02d} left"
        )
        if self._is_terminal:
            print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._is_shown and self._is_terminal and self._width:
            print(file=sys.stderr)


def run_to_end(trainer, bar: Bar) -> bool:
    """Train, and close the trainer; False if control-C ended it before."""
    try:
        with stop_on_interrupt(trainer):
            return trainer.run()
    finally:
        bar.end()
        trainer.close()


@contextmanager
def stop_on_interrupt(trainer):
    """The first control-C (or SIGTERM) ends after the step in progress; a second one at once."""

    def stop(number, frame) -> None:
        trainer.stop()
        signal.signal(number, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
