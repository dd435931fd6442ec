# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench train`: the training step of this package against a plain one with the structure of the reference.

Method:

- There are three variants, each in a process of its own: `baseline` (bench/train_baseline.py: float32, NCHW, the loss
  as in its equations), and the package's networks, objective and optimiser in `fp32` and in `bf16` (autocast), both
  with channels_last.
- All start from the same weights with the same batch. Their first losses in float32 must agree to 1e-4, or else the
  benchmark fails, because the variants would not do the same work. That comparison uses batch normalisation in
  inference mode: its statistics would be those of one pair in the baseline and of all pairs in the package.
- The variants take turns, --steps at a time, for --rounds rounds after a warm-up, so a change of the machine's speed
  affects all of them alike. samples/s follows from the median step of all rounds, the ratio from the medians.
- A step consists of networks, loss, gradients and optimiser. It contains neither data loading nor augmentation, whose
  time is measured separately.
- Stages come from additional steps, with the backward pass split between loss and networks.
- Peak memory is the process's largest resident set, libraries included, or the memory of tensors on a GPU.
- --data BAG measures the share of time that the package's trainer (bf16) waits for data instead. It trains from that
  recording without a cache of frames, and is measured from its third step on.
"""

import argparse
import tempfile
from pathlib import Path

from bench.arguments import make_parser, size
from bench.errors import BenchError
from bench.machine import core_speed
from bench.result_file import command_line
from bench.train_report import write_report
from bench.worker import Worker
from monodepth_ros.networks.registry import DEPTH_NETWORKS, POSE_NETWORKS
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.samples.open_dataset import open_dataset
from monodepth_ros.training.trainer import Progress, Trainer

VARIANTS = ("baseline", "fp32", "bf16")
TOLERANCE = 1e-4
WARM_UP = 2  # steps


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options in `arguments`."""
    parser = make_parser("train", __doc__)
    parser.add_argument("--depth", default="resnet18", choices=tuple(DEPTH_NETWORKS), help="depth network (resnet18)")
    own = [name for name in POSE_NETWORKS if not name.startswith("shared")]
    parser.add_argument("--pose", default="separate_resnet18", choices=own, help="pose network (separate_resnet18)")
    parser.add_argument("--size", type=size, default=(640, 192), help="network input (640x192)")
    parser.add_argument("--batch-size", type=int, default=4, help="samples per step (4)")
    parser.add_argument("--scales", type=int, default=4, help="disparity scales (4)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (cpu)")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each variant (6)")
    parser.add_argument("--steps", type=int, default=2, help="steps in a turn (2)")
    parser.add_argument("--data", metavar="BAG", help="measure the wait for data from this recording instead")
    options = parser.parse_args(arguments)
    if min(options.batch_size, options.rounds, options.steps, options.scales) < 1:
        parser.error("--batch-size, --rounds, --steps and --scales must be positive")
    return options


def main(arguments: list[str]) -> int:
    """Run the benchmark. Raises BenchError if the losses of the variants differ."""
    options = parse(arguments)
    measure = measure_wait if options.data else measure_steps
    write_report(options, command_line("train", arguments), measure(options))
    return 0


def measure_steps(options: argparse.Namespace) -> dict:
    """Times of the steps [s], stages, first loss and memory of each variant."""
    workers = {variant: start_worker(variant, options) for variant in VARIANTS}
    try:
        found = {variant: dict(worker.answer()) for variant, worker in workers.items()}
        check_losses({variant: values["loss"] for variant, values in found.items()})
        for worker in workers.values():
            worker.ask({"steps": WARM_UP})
        speed = {"before": core_speed()}
        for values in found.values():
            values["seconds"] = []
        for _ in range(options.rounds):
            for variant, worker in workers.items():
                found[variant]["seconds"] += worker.ask({"steps": options.steps})["seconds"]
        for variant, worker in workers.items():
            # Before the stages, because a split step keeps tensors longer.
            found[variant] |= worker.ask({"memory": True})
        for variant, worker in workers.items():
            found[variant] |= worker.ask({"stages": max(3, options.steps)})
        speed["after"] = core_speed()
    finally:
        for worker in workers.values():
            worker.stop()
    return {"variants": found, "core_gflops": speed}


def check_losses(losses: dict[str, float]) -> None:
    """Raise BenchError unless the float32 losses of baseline and package agree."""
    difference = abs(losses["fp32"] - losses["baseline"])
    if not difference <= TOLERANCE:
        raise BenchError(
            f"the first losses differ by {difference:.2g}: {losses['baseline']:.6f} of the baseline, "
            f"{losses['fp32']:.6f} of the package; expected {TOLERANCE:g} at most, so their speeds cannot be compared"
        )


def measure_wait(options: argparse.Namespace) -> dict:
    """The share of time that a training waits for data."""
    last = WARM_UP + options.rounds * options.steps
    width, height = options.size
    settings = {
        "data.recordings": (options.data,),
        "data.cache_mb": 0,
        "data.validation_share": 0.0,
        "networks.depth": options.depth,
        "networks.pose": options.pose,
        "networks.width": width,
        "networks.height": height,
        "objective.scales": options.scales,
        "optimizer.epochs": 100000,
        "loop.batch_size": options.batch_size,
        "loop.device": options.device,
        "loop.precision": "bf16",
        "loop.max_steps": last,
    }
    config = replace(TrainConfig(), settings)
    moments: list[tuple[float, float]] = []  # after each step: time since the start [s], part of it spent waiting [s]

    def note(progress: Progress) -> None:
        seconds = progress.step * options.batch_size / progress.samples_per_second
        moments.append((seconds, progress.waiting * seconds))

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, open_dataset(config.data, config.networks), Path(folder), report=note)
        try:
            trainer.run()
        finally:
            trainer.close()
    (began, waited_before), (ended, waited) = moments[WARM_UP - 1], moments[-1]
    steps = len(moments) - WARM_UP
    return {
        "recording": Path(options.data).name,
        "steps": steps,
        "waiting_share": (waited - waited_before) / (ended - began),
        "samples_per_second": steps * options.batch_size / (ended - began),
    }


def start_worker(variant: str, options: argparse.Namespace) -> Worker:
    """Start bench/train_worker.py for a variant."""
    arguments = [variant, "--depth", options.depth, "--pose", options.pose, "--size", *map(str, options.size)]
    arguments += ["--batch-size", str(options.batch_size), "--scales", str(options.scales), "--device", options.device]
    return Worker("bench.train_worker", arguments, variant)
