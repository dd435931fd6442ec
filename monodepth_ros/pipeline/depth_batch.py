# SPDX-License-Identifier: Apache-2.0
"""One pass of the depth network over the frames of several cameras, or one for each size of its input."""

import time
from collections.abc import Sequence

from monodepth_ros.inference.engine import Engine
from monodepth_ros.pipeline.frame import PreparedFrame


def infer_depth(engine: Engine, frames: Sequence[PreparedFrame]) -> Exception | None:
    """Set the disparity of every frame that needs depth, or its failure; the error of a batch, if any.

    Frames whose network inputs have one size are a batch. If a batch fails, its frames run one by one, so that only
    frames that fail alone are lost.
    """
    batches: dict[tuple[int, int], list[PreparedFrame]] = {}
    for frame in frames:
        if frame.needs_depth:
            batches.setdefault(frame.result.view.size, []).append(frame)
    failures = [_infer_batch(engine, batch) for batch in batches.values()]
    return next((failure for failure in failures if failure is not None), None)


def _infer_batch(engine: Engine, batch: Sequence[PreparedFrame]) -> Exception | None:
    started = time.perf_counter()
    batch_failure = None
    try:
        if len(batch) == 1:
            disparities = [engine.disparity(batch[0].image)]
        else:
            disparities = engine.disparities([frame.image for frame in batch])
    except Exception as error:  # a bug, or a device out of memory
        if len(batch) == 1:
            batch[0].failure = error
        else:
            batch_failure = error
            for frame in batch:
                _infer_batch(engine, [frame])
    else:
        for frame, disparity in zip(batch, disparities, strict=True):
            frame.disparity = disparity
    milliseconds = 1e3 * (time.perf_counter() - started)
    for frame in batch:
        frame.batch_ms = milliseconds
    return batch_failure
