# SPDX-License-Identifier: Apache-2.0
"""CUDA graphs: a function's kernels, submitted together on one stream, with the copies to and from the device."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from monodepth_ros.errors import one_line

MAX_SIZES = 16  # number of sizes to record; a recording keeps the memory of its inputs and outputs
WARM_UP = 3  # passes before a recording, in which libraries choose and load their kernels

BatchFunction = Callable[..., tuple[Tensor, ...]]
"""Tensors whose first dimension is the batch -> tensors."""
Replay = Callable[[], tuple[Tensor, ...]]
"""Runs a function again on the tensors it was recorded with; the outputs are the same tensors each time."""


class CudaQueue:
    """A stream of one CUDA device; work within `current` is queued on it in order."""

    def __init__(self, device: torch.device):
        self._device = device
        self._stream = torch.cuda.Stream(device)
        # A failed recording leaves its stream unusable.
        self._recording_stream = torch.cuda.Stream(device)
        # One memory pool for all recordings: they are never replayed at the same time, and only outputs outlive a
        # replay.
        self._pool = torch.cuda.graph_pool_handle()
        self._stream.wait_stream(torch.cuda.current_stream(device))  # weights may still be being copied

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the stream current, and compute float32 convolutions in full precision.

        PyTorch's default, TensorFloat-32, has only the 10 bits of fp16.
        """
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False)
        with torch.cuda.stream(self._stream), exact:
            yield

    def upload(self, array: np.ndarray) -> Tensor:
        """Copy a uint8 array to the device without waiting; the array may be overwritten at once."""
        # PyTorch reuses pinned memory only after the copies from it are done.
        staged = torch.empty(array.shape, dtype=torch.uint8, pin_memory=True)
        np.copyto(staged.numpy(), array)
        return staged.to(self._device, non_blocking=True)

    def download(self, tensor: Tensor) -> Callable[[], np.ndarray]:
        """Queue a tensor's copy to the host.

        Returns a function that waits for the copy, but not for later work, and returns the array.
        """
        staged = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        staged.copy_(tensor, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(self._stream)

        def fetch() -> np.ndarray:
            arrived.synchronize()
            # A copy, because pinned memory is scarce and the caller may keep the array for long.
            return staged.numpy().copy()

        return fetch

    def wait(self) -> None:
        """Wait until all queued work is done."""
        self._stream.synchronize()

    def record(self, function: BatchFunction, inputs: Sequence[Tensor]) -> Replay:
        """Record function(*inputs) as a graph; RuntimeError if the device or the function does not allow it."""
        self._recording_stream.wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self._recording_stream):
            for _ in range(WARM_UP):
                function(*inputs)
            # thread_local: other threads may use the device during the recording.
            with torch.cuda.graph(graph, self._pool, stream=self._recording_stream, capture_error_mode="thread_local"):
                outputs = function(*inputs)
        self._stream.wait_stream(self._recording_stream)

        def replay() -> tuple[Tensor, ...]:
            graph.replay()
            return outputs

        return replay


class Replayed:
    """A function that is recorded at the first use of each size of batch and item, and replayed afterwards.

    record: as `CudaQueue.record`. At most MAX_SIZES sizes are recorded; other sizes run without a graph. After a failed
    recording, everything does, and `warn` gets the reason.
    """

    def __init__(
        self,
        function: BatchFunction,
        record: Callable[[BatchFunction, Sequence[Tensor]], Replay],
        warn: Callable[[str], None],
    ):
        self._function, self._record, self._warn = function, record, warn
        self._recordings: dict[tuple, tuple[list[Tensor], Replay]] = {}
        self._can_record = True

    def __call__(self, *inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Outputs for batches, each given as a list of items (1, ...); the next call may overwrite them."""
        size = len(inputs[0]), inputs[0][0].shape
        if size not in self._recordings:
            batches = [torch.cat(tuple(items)) for items in inputs]
            if not self._can_record or len(self._recordings) == MAX_SIZES:
                return self._function(*batches)
            try:
                self._recordings[size] = batches, self._record(self._function, batches)
            except RuntimeError as error:
                self._can_record = False
                self._warn(f"the networks run without CUDA graphs, which is slower: {one_line(error, 200)}")
                return self._function(*batches)
        buffers, replay = self._recordings[size]
        for buffer, items in zip(buffers, inputs, strict=True):
            torch.cat(tuple(items), out=buffer)
        return replay()
