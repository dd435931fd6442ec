# SPDX-License-Identifier: Apache-2.0
"""Keeps memory that a training step has freed on a CPU for the next step."""

import ctypes

# From <malloc.h>.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Make glibc's malloc return no memory to the system. Without effect if the C library has no mallopt.

    By default malloc returns every large tensor when it is freed, and the system clears each page for the next one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
