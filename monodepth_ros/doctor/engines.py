# SPDX-License-Identifier: Apache-2.0
"""The device, the inference engines and the bundled checkpoint: whether networks run here, and how fast."""

import time
from collections.abc import Iterator

import numpy as np
import torch

from monodepth_ros.doctor.check import Check, Level
from monodepth_ros.errors import MonodepthError
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint

FRAMES = 20  # timed after the first ones


def engine_checks(checkpoint: str = BUNDLED_NAME) -> Iterator[Check]:
    """Checks of CUDA and of the engine that `auto` takes, which runs the checkpoint."""
    yield from _cuda()
    try:
        loaded = load_checkpoint(checkpoint)
    except MonodepthError as error:
        remedy = "install the package again" if checkpoint == BUNDLED_NAME else ""
        yield Check("checkpoint", Level.ERROR, str(error), remedy)
        return
    yield Check("checkpoint", Level.OK, f"{loaded.title}: {loaded.header.summary()}")
    refused: list[str] = []
    started = time.perf_counter()
    try:
        engine = create_engine(loaded, EngineConfig(), refused.append)
        engine.warm_up()
    except MonodepthError as error:
        yield Check("engine", Level.ERROR, str(error), "set engine to pytorch and device to cpu, and report this line")
        return
    ready = time.perf_counter() - started
    size = loaded.header.width, loaded.header.height
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    times, depths = [], []
    for _ in range(FRAMES):
        started = time.perf_counter()
        depths.append(engine.disparity(engine.load_image(image)))
        times.append(1e3 * (time.perf_counter() - started))
    is_sound = bool(np.isfinite(depths[-1]).all()) and np.array_equal(depths[-1], depths[-2])
    found = (
        f"auto takes {engine.name} on {engine.device} ({engine.precision}): ready in {ready:.1f} s, depth of "
        f"{size[0]}x{size[1]} in {np.median(times):.1f} ms"
    )
    engine.release()
    if is_sound:
        yield Check("engine", Level.OK, found)
    else:
        yield Check("engine", Level.ERROR, f"{found}, but not the same twice", "set engine to pytorch, and report this")
    for reason in refused:
        yield Check("engine", Level.WARNING, reason)


def _cuda() -> Iterator[Check]:
    if not torch.cuda.is_available():
        built = torch.version.cuda
        found = "none that PyTorch can use: networks run on the CPU"
        remedy = ""
        if not built and _has_nvidia_driver():
            remedy = "this PyTorch is built without CUDA, and there is an NVIDIA driver: install torch's CUDA build"
        elif built and _has_nvidia_driver():
            remedy = f"PyTorch is built for CUDA {built}: update the driver (nvidia-smi shows its version)"
        yield Check("gpu", Level.WARNING if remedy else Level.OK, found, remedy)
        return
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        found = f"cuda:{number} {facts.name}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free, CUDA {torch.version.cuda}"
        little = free < 1 << 30
        remedy = "the networks need about 1 GB there: end other programs on it" if little else ""
        yield Check("gpu", Level.WARNING if little else Level.OK, found, remedy)


def _has_nvidia_driver() -> bool:
    try:
        with open("/proc/driver/nvidia/version", encoding="utf-8"):
            return True
    except OSError:
        return False
