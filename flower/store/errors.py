"""What can go wrong with a store, in sentences that a person reads."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be opened or used; the message says why and what to do."""


class AwayError(StoreError):
    """Its database cannot be reached, or lets nobody in: nothing is wrong with it, as far as one can see."""
