# SPDX-License-Identifier: Apache-2.0
"""What the tests of trainings share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """There is little to compute, and threads that wait for each other cost more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
