# SPDX-License-Identifier: Apache-2.0
"""One pass of the depth network over the frames of several cameras."""

import time
from collections.abc import Sequence

from monodepth_ros.inference.engine import Engine
from monodepth_ros.pipeline.frame import PreparedFrame


def infer_depth(engine: Engine, frames: Sequence[PreparedFrame]) -> Exception | None:
    """Set the disparity of every frame that needs depth, in one batch, or its failure; the error of the batch, if any.

    If a batch fails, its frames run one by one, so that only frames that fail alone are lost.
    """
    waiting = [frame for frame in frames if frame.needs_depth]
    if not waiting:
        return None
    started = time.perf_counter()
    batch_failure = None
    try:
        if len(waiting) == 1:
            disparities = [engine.disparity(waiting[0].image)]
        else:
            disparities = engine.disparities([frame.image for frame in waiting])
    except Exception as error:  # a bug, or a device out of memory
        if len(waiting) == 1:
            waiting[0].failure = error
        else:
            batch_failure = error
            for frame in waiting:
                infer_depth(engine, [frame])
    else:
        for frame, disparity in zip(waiting, disparities, strict=True):
            frame.disparity = disparity
    milliseconds = 1e3 * (time.perf_counter() - started)
    for frame in waiting:
        frame.batch_ms = milliseconds
    return batch_failure
