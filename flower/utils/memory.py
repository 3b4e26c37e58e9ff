"""How the process deals with memory: what a burst needed goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Parameters of glibc's mallopt (malloc.h)."""
LARGE_BYTES = 131_072
"""Blocks from this size on, such as what is read from the broker at once, are the system's again when freed."""
ARENAS = 2
"""Each keeps some freed memory; one a thread would be a dozen."""
COLLECT_EVERY = (20_000, 20, 100)
"""Objects between two collections. Events come and go as thousands of dicts without cycles; with Python's
700 a tenth of the time of receiving them goes into looking for garbage."""


def settle_memory() -> None:
    """Prepare a process that is ours for bursts of events. Call it once, when everything is built."""
    option = _from_c("mallopt")
    if option is not None:
        option(M_MMAP_THRESHOLD, LARGE_BYTES)
        option(M_ARENA_MAX, ARENAS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)


def give_back_memory() -> None:
    """Return what the C library keeps of freed memory; it would otherwise stay with the process for good.

    Takes some milliseconds, without the interpreter lock.
    """
    trim = _from_c("malloc_trim")
    if trim is not None:
        trim(0)


def _from_c(name: str) -> Any:
    """The function of the C library, None where it is not glibc's."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
