# SPDX-License-Identifier: Apache-2.0
"""Batches that threads read, decode and rectify ahead of the step that needs them."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from monodepth_ros.training.samples.batch import Batch, Source
from monodepth_ros.training.samples.dataset import Dataset, Sample

# Number of batches in preparation during a step.
AHEAD = 3


class Loader:
    """Loads batches of a data set. OpenCV and file reading release the interpreter, so threads suffice.

    waited: time that the caller has waited for data so far [s].
    """

    def __init__(self, dataset: Dataset, batch_size: int, workers: int):
        self._dataset, self._batch_size = dataset, batch_size
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="reader")
        self.waited = 0.0

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def batches(self, samples: Sequence[Sample], drop_last: bool = True) -> Iterator[Batch]:
        """Batches of the samples in their order. drop_last: omit a last batch that is not full.

        Raises what reading a frame raises.
        """
        size = self._batch_size
        end = len(samples) - len(samples) % size if drop_last else len(samples)
        starts = deque(range(0, end, size))
        in_preparation: deque[tuple[Sequence[Sample], list[Future]]] = deque()
        try:
            while starts or in_preparation:
                while starts and len(in_preparation) < AHEAD:
                    start = starts.popleft()
                    chosen = samples[start : min(end, start + size)]
                    in_preparation.append((chosen, [self._pool.submit(self._read, sample) for sample in chosen]))
                chosen, futures = in_preparation.popleft()
                began = time.perf_counter()
                read = [future.result() for future in futures]
                self.waited += time.perf_counter() - began
                images, references = [list(column) for column in zip(*read, strict=True)]
                yield self._dataset.batch(list(chosen), images, references)
        finally:
            for _, futures in in_preparation:
                for future in futures:
                    future.cancel()

    def _read(self, sample: Sample) -> tuple[dict[Source, np.ndarray], np.ndarray | None]:
        images = {source: clip.image(frame) for source, (clip, frame) in self._dataset.frames(sample).items()}
        return images, self._dataset.reference(sample)


def epoch_order(count: int, seed: int, epoch: int, rank: int = 0, ranks: int = 1) -> list[int]:
    """A process's share of the shuffled sample numbers of an epoch, equally long for every rank.

    Equal arguments give equal orders.
    """
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mix(seed, epoch))).tolist()
    return order[rank : count - count % ranks : ranks]


def mix(*numbers: int) -> int:
    """A seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]) % (1 << 63)
