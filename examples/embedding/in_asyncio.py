"""Flower within an asyncio program, on a port of its own: `python in_asyncio.py`, ended by Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal

from celery import Celery

from flower.app import Flower
from flower.settings import with_defaults

celery = Celery("proj", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0"))


async def main() -> None:
    """Do the program's own work while Flower watches."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    port = int(os.environ.get("PORT", "5555"))
    flower = Flower(capp=celery, options=with_defaults(port=port, address="127.0.0.1"))
    # The loop runs already, so this returns at once.
    flower.start()
    try:
        await ended.wait()
    finally:
        flower.stop()


asyncio.run(main())
