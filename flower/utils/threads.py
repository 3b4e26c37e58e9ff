"""Blocking calls in daemon threads: a broker that never answers cannot hold up the end of the process.

The threads of `concurrent.futures` are joined when the interpreter ends; these are not.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def submit(func: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Start `func` in a daemon thread of its own."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            result = func(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 the future hands it to whoever waits
            future.set_exception(error)
        else:
            future.set_result(result)

    future.set_running_or_notify_cancel()
    threading.Thread(target=work, name=f"flower-{getattr(func, '__name__', 'work')}", daemon=True).start()
    return future


async def run(executor: Executor | None, seconds: float, func: Callable[[], T]) -> T:
    """The result of `func`, from `executor` or a daemon thread; TimeoutError after `seconds` (the call goes on)."""
    future = executor.submit(func) if executor else submit(func)
    future.add_done_callback(_mark_seen)
    waiting = asyncio.wrap_future(future)
    done, _ = await asyncio.wait({waiting}, timeout=seconds)
    if not done:
        waiting.add_done_callback(_mark_seen)
        raise TimeoutError
    return waiting.result()


def _mark_seen(future: Future[T] | asyncio.Future[T]) -> None:
    """A failure that comes after its reader left is nobody's news."""
    if not future.cancelled():
        future.exception()
