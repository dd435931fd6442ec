# SPDX-License-Identifier: Apache-2.0
"""Returns the memory of released networks to the system."""

import ctypes
import gc


def return_freed_memory() -> None:
    """Collect garbage, and make glibc's malloc return free pages to the system.

    Loading networks leaves free memory between what is in use; a node that is configured again and again would grow by
    it. Without effect on memory if the C library has no malloc_trim.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(0)
