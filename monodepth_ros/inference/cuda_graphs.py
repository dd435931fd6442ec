# SPDX-License-Identifier: Apache-2.0
"""CUDA graphs: the kernels of a function submitted at once, on a stream of its own, with its traffic to and from it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from monodepth_ros.errors import one_line

MOST_SIZES = 8  # of batches that are recorded; a recording keeps the memory of its inputs and outputs
WARM_UP = 3  # passes in front of a recording: libraries choose and load their kernels in the first ones

BatchFunction = Callable[..., tuple[Tensor, ...]]
"""Tensors whose first dimension is the batch -> tensors."""
Replay = Callable[[], tuple[Tensor, ...]]
"""Runs a function again on the tensors that it was recorded with; the outputs are the same tensors each time."""


class CudaQueue:
    """A stream of one CUDA device. Whatever is called, allocated and computed within `current` is in its order."""

    def __init__(self, device: torch.device):
        self._device = device
        self._stream = torch.cuda.Stream(device)
        # A recording that fails leaves a stream behind that nothing else should run on.
        self._recording_stream = torch.cuda.Stream(device)
        # One pool for all recordings: they are never replayed at the same time, and only their outputs outlive a replay.
        self._pool = torch.cuda.graph_pool_handle()
        self._stream.wait_stream(torch.cuda.current_stream(device))  # weights may still be on their way

    @contextmanager
    def current(self) -> Iterator[None]:
        """Makes the stream the current one, and convolutions in float32 exact.

        PyTorch's default for them, TensorFloat-32, has the 10 bits of fp16.
        """
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False)
        with torch.cuda.stream(self._stream), exact:
            yield

    def upload(self, array: np.ndarray) -> Tensor:
        """A uint8 array on the device; it may be written to at once, and nothing waits for the copy."""
        # PyTorch hands pinned memory out again only when the copies from it are done.
        staged = torch.empty(array.shape, dtype=torch.uint8, pin_memory=True)
        np.copyto(staged.numpy(), array)
        return staged.to(self._device, non_blocking=True)

    def download(self, tensor: Tensor) -> Callable[[], np.ndarray]:
        """Queue a tensor's way to the host. What this gives waits for it, not for what is queued after it, and returns it."""
        staged = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        staged.copy_(tensor, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(self._stream)

        def fetch() -> np.ndarray:
            arrived.synchronize()
            # A copy, as pinned memory is scarce and nobody knows how long an array will be kept.
            return staged.numpy().copy()

        return fetch

    def wait(self) -> None:
        """Until all that has been queued is done."""
        self._stream.synchronize()

    def record(self, function: BatchFunction, inputs: Sequence[Tensor]) -> Replay:
        """A graph of function(*inputs); RuntimeError where the device or the function does not allow one."""
        self._recording_stream.wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self._recording_stream):
            for _ in range(WARM_UP):
                function(*inputs)
            # thread_local: what other threads of the process do on the device does not spoil the recording.
            with torch.cuda.graph(graph, self._pool, stream=self._recording_stream, capture_error_mode="thread_local"):
                outputs = function(*inputs)
        self._stream.wait_stream(self._recording_stream)

        def replay() -> tuple[Tensor, ...]:
            graph.replay()
            return outputs

        return replay


class Replayed:
    """A function that is recorded for each size of batch when that first comes, and replayed from then on.

    record: as `CudaQueue.record`. At most MOST_SIZES sizes are recorded. Others run as they are, and so does everything
    once a recording has failed, which `warn` is told.
    """

    def __init__(
        self,
        function: BatchFunction,
        record: Callable[[BatchFunction, Sequence[Tensor]], Replay],
        warn: Callable[[str], None],
    ):
        self._function, self._record, self._warn = function, record, warn
        self._recordings: dict[int, tuple[list[Tensor], Replay]] = {}
        self._can_record = True

    def __call__(self, *inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The outputs for batches, each given as its items of shape (1, ...); the next call may overwrite them."""
        size = len(inputs[0])
        if size not in self._recordings:
            batches = [torch.cat(tuple(items)) for items in inputs]
            if not self._can_record or len(self._recordings) == MOST_SIZES:
                return self._function(*batches)
            try:
                self._recordings[size] = batches, self._record(self._function, batches)
            except RuntimeError as error:
                self._can_record = False
                reason = one_line(error)
                self._warn(f"the networks run without CUDA graphs, which is slower: {reason:.200}")
                return self._function(*batches)
        buffers, replay = self._recordings[size]
        for buffer, items in zip(buffers, inputs, strict=True):
            torch.cat(tuple(items), out=buffer)
        return replay()
