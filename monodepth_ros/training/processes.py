# SPDX-License-Identifier: Apache-2.0
"""Processes that train together, as started by `torchrun`."""

import os
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Processes:
    """This process's place among those that train together. Without torchrun it is alone."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether the flag is set in any process. Every process must call it."""
        if self.count == 1:
            return flag
        value = torch.tensor(float(flag), device=device)
        distributed.all_reduce(value, distributed.ReduceOp.MAX)
        return bool(value.item())

    def end(self) -> None:
        """Leave the group."""
        if self.count > 1:
            distributed.destroy_process_group()


def join_processes(device: str) -> Processes:
    """Join the group that torchrun's environment variables describe, with NCCL for CUDA and gloo for a CPU."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    uses_cuda = device != "cpu" and torch.cuda.is_available()
    distributed.init_process_group("nccl" if uses_cuda else "gloo")
    return Processes(int(os.environ["RANK"]), count, int(os.environ.get("LOCAL_RANK", "0")))
