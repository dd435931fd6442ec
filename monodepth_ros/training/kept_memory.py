# SPDX-License-Identifier: Apache-2.0
"""Memory that a training on a CPU has freed stays the process's, for the next step to use."""

import ctypes

# Of <malloc.h>.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Have glibc's malloc return nothing to the system; without effect where the C library has no mallopt.

    Its default hands every large tensor back when it is freed, and the system clears each page again for the next one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
