"""Memory that a burst needed, given back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back_memory() -> None:
    """Return what the C library keeps of freed memory; it would otherwise stay with the process for good.

    Only glibc has it; elsewhere nothing happens. Takes some milliseconds, without the interpreter lock.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
