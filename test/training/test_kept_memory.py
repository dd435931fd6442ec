"""Freed memory is there for the next step without a page fault."""

import subprocess
import sys

import pytest

COUNT_FAULTS = """
import resource
import torch
from monodepth_ros.training.kept_memory import keep_freed_memory
torch.set_num_threads(1)
{call}
def step():
    kept = [torch.ones(512, 1024) for _ in range(8)]
for _ in range(4):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(call):
    words = [sys.executable, "-c", COUNT_FAULTS.format(call=call)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_freed_tensors_are_used_again_without_new_pages():
    given_back, kept = faults(""), faults("keep_freed_memory()")
    # 16 MB are 8 huge pages or 4096 small ones.
    assert given_back >= 5 * 8
    assert kept < given_back / 5
