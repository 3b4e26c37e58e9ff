"""Watches and commands Celery clusters from a web page."""

from __future__ import annotations

VERSION = (3, 0, 0)
__version__ = "3.0.0"
