# SPDX-License-Identifier: Apache-2.0
"""The networks alone: an engine in a process of its own, asked for times.

It reads one JSON object a line from standard input, {"seconds": s}, and answers each with the milliseconds that every
pass of the networks took in that time. The first line of all names the engine.
"""

import argparse
import json
import sys
import time

import numpy as np

from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import Engine

LEAST = 5  # passes, however long they take


def passes(engine: Engine, images: list[np.ndarray], with_motion: bool, seconds: float) -> list[float]:
    """Milliseconds of each pass: the depth of an image, and the motion from the one before where that is asked for.

    Images are loaded before the clock starts, and each is seen for the first time.
    """
    times, previous = [], engine.load_image(images[-1])
    engine.disparity(previous)
    end = time.perf_counter() + seconds
    while len(times) < LEAST or time.perf_counter() < end:
        image = engine.load_image(images[len(times) % len(images)])
        started = time.perf_counter()
        if with_motion:
            engine.expect_motion(previous, image)
        engine.disparity(image)
        if with_motion:
            engine.motion(previous, image)
        times.append(1e3 * (time.perf_counter() - started))
        previous = image
    return times


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    for name in ("device", "engine", "precision"):
        parser.add_argument(f"--{name}", default="auto")
    for name in ("compile", "motion"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    config = EngineConfig(
        device=options.device, engine=options.engine, precision=options.precision, compile=options.compile
    )
    engine = create_engine(options.checkpoint, config)
    engine.warm_up()
    shape = (4, engine.header.height, engine.header.width, 3)
    images = list(np.random.default_rng(1).integers(0, 256, shape, np.uint8))
    _answer({"engine": engine.name, "device": engine.device, "precision": engine.precision})
    for line in sys.stdin:
        _answer({"milliseconds": passes(engine, images, options.motion, json.loads(line)["seconds"])})


def _answer(values: dict) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
