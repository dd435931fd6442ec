# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench train`: the training step of this package against a plain one of the reference's structure.

How the figures are made:

- Three variants, a process each: `baseline` (bench/train_baseline.py: float32, NCHW, the loss as its equations stand), and the
  package's networks, objective and optimiser in `fp32` and in `bf16` (autocast), both with channels_last.
- All start from the same weights and are given the same batch. Their first losses must agree to 1e-4 in float32 (with batch
  normalisation as at inference: its statistics are of one pair in the baseline, of all in the package), else the benchmark fails:
  what is compared does the same work.
- They take turns, --steps at a time, for --rounds rounds after a warm-up, so that a machine whose speed changes is the same one
  for all. samples/s is by the median step of all rounds; the ratio that of the medians.
- A step is: networks, loss, gradients, optimiser. Augmentation and data are no part of it; augmentation is timed beside it.
- Stages are from steps of their own, the backward pass cut where the loss meets the networks.
- Peak memory is the process's largest resident set (libraries included), or what the tensors took on a GPU.
- --data BAG measures something else: the share of the time that the package's trainer (bf16) waits for data when it trains from
  that recording and keeps no frame, from its third step on.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from bench.errors import BenchError
from bench.live import size
from bench.worker import Worker
from monodepth_ros.errors import MonodepthError

ROOT = Path(__file__).resolve().parents[1]
VARIANTS = ("baseline", "fp32", "bf16")
TOLERANCE = 1e-4
WARM_UP = 2  # steps


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of `scripts/bench train`."""
    from monodepth_ros.networks.registry import DEPTH_NETWORKS, POSE_NETWORKS

    parser = argparse.ArgumentParser(
        prog="scripts/bench train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depth", default="resnet18", choices=tuple(DEPTH_NETWORKS), help="depth network (resnet18)")
    own = [name for name in POSE_NETWORKS if not name.startswith("shared")]
    parser.add_argument("--pose", default="separate_resnet18", choices=own, help="pose network (separate_resnet18)")
    parser.add_argument("--size", type=size, default=(640, 192), help="network input (640x192)")
    parser.add_argument("--batch-size", type=int, default=4, help="samples per step (4)")
    parser.add_argument("--scales", type=int, default=4, help="disparity scales (4)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (cpu)")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each variant (6)")
    parser.add_argument("--steps", type=int, default=2, help="steps in a turn (2)")
    parser.add_argument("--data", metavar="BAG", help="measure the wait for data instead, from this recording")
    parser.add_argument("--results", default=str(ROOT / "results" / "bench"), help="folder of the result's JSON")
    options = parser.parse_args(arguments)
    if min(options.batch_size, options.rounds, options.steps, options.scales) < 1:
        parser.error("--batch-size, --rounds, --steps and --scales must be positive")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 for bad input or losses that differ."""
    options = parse(arguments)
    words = sys.argv[2:] if arguments is None else arguments
    command = shlex.join(["scripts/bench", "train", *words])
    from bench.train_report import write_report

    try:
        measure = measure_wait if options.data else measure_steps
        write_report(options, command, measure(options), Path(options.results))
    except MonodepthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def measure_steps(options: argparse.Namespace) -> dict:
    """Seconds, stages, first loss and memory of each variant."""
    from bench.machine import core_speed

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
            # Asked before the stages: taking a step apart keeps tensors longer.
            found[variant] |= worker.ask({"memory": True})
        for variant, worker in workers.items():
            found[variant] |= worker.ask({"stages": max(3, options.steps)})
        speed["after"] = core_speed()
    finally:
        for worker in workers.values():
            worker.stop()
    return {"variants": found, "core_gflops": speed}


def check_losses(losses: dict[str, float]) -> None:
    """BenchError unless the package's loss is the baseline's in float32."""
    difference = abs(losses["fp32"] - losses["baseline"])
    if not difference <= TOLERANCE:
        raise BenchError(
            f"the first losses differ by {difference:.2g}: {losses['baseline']:.6f} of the baseline, {losses['fp32']:.6f} of the"
            f" package; expected {TOLERANCE:g} at most, so their speeds cannot be compared"
        )


def measure_wait(options: argparse.Namespace) -> dict:
    """The share of the time that a training spends waiting for data."""
    from monodepth_ros.settings.schema import replace
    from monodepth_ros.training.config import TrainConfig
    from monodepth_ros.training.progress import TrainingProgress
    from monodepth_ros.training.samples.open_dataset import open_dataset
    from monodepth_ros.training.trainer import Trainer

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
    moments: list[tuple[float, float]] = []  # since the start: seconds, seconds waited

    def note(progress: TrainingProgress) -> None:
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
    """bench/train_worker.py for a variant."""
    arguments = [variant, "--depth", options.depth, "--pose", options.pose, "--size", *map(str, options.size)]
    arguments += ["--batch-size", str(options.batch_size), "--scales", str(options.scales), "--device", options.device]
    return Worker("bench.train_worker", arguments, variant)
