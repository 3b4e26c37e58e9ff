"""What can go wrong with a store, in sentences that a person reads."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be opened or used; the message says why and what to do."""
