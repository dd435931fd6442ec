# SPDX-License-Identifier: Apache-2.0
"""The networks alone: an engine in a process of its own that measures itself.

Questions and answers are lines of JSON. The first answer comes without a question: name, device and precision of the
engine. {"seconds": s}: times of all passes through the networks within s seconds [ms].
"""

import argparse
import time

import numpy as np

from bench.worker import answer, questions
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.inference.engine import Engine

LEAST = 5  # passes to measure, even if they take longer than asked


def passes(engine: Engine, images: list[np.ndarray], with_motion: bool, seconds: float) -> list[float]:
    """Time of each pass [ms]: the depth of an image and, if with_motion, the motion from the image before.

    Images are loaded before the clock starts, and no result of an earlier pass is reused.
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
    """Answer questions until standard input ends."""
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
    answer({"engine": engine.name, "device": engine.device, "precision": engine.precision})
    for question in questions():
        answer({"milliseconds": passes(engine, images, options.motion, question["seconds"])})


if __name__ == "__main__":
    main()
