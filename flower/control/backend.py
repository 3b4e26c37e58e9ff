"""Reading results as they are stored, without making exceptions of them; any thread, each its own connection."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.backends.base import DisabledBackend, KeyValueStoreBackend
from celery.backends.rpc import RPCBackend

from flower.control.errors import NoBackend
from flower.control.inbox import Inbox
from flower.utils.broker import reason

Meta = dict[str, Any]
"""`status`, `result`, `traceback`, `date_done`, ... as the worker stored them."""

PENDING = "PENDING"
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0


class Backend:
    """The result backend of an application."""

    def __init__(self, capp: Celery) -> None:
        self.capp = capp
        self._local = threading.local()
        self._lock = threading.Lock()
        self._inbox: Inbox | None = None

    def read(self, uuids: Sequence[str]) -> dict[str, Meta]:
        """The records there are. Raises NoBackend when there is no backend or it does not answer."""
        raw = self._raw()
        try:
            if isinstance(raw, RPCBackend):
                return self.inbox().read(uuids)
            if isinstance(raw, KeyValueStoreBackend) and len(uuids) > 1:
                return _read_many(raw, uuids)
            metas = {uuid: _read_one(raw, uuid) for uuid in uuids}
        except Exception as error:  # every driver has exceptions of its own
            self._local.raw = None
            raise NoBackend(f"The result backend does not answer: {reason(error)}") from error
        return {uuid: meta for uuid, meta in metas.items() if meta.get("status") not in (None, PENDING)}

    def configured(self) -> bool:
        """Whether there is a backend at all. Blocks; raises NoBackend when its driver is missing."""
        try:
            return not isinstance(self.capp.backend, DisabledBackend)
        except Exception as error:  # of its driver, its URL, or its database
            raise NoBackend(f"The result backend cannot be used: {reason(error)}") from error

    def keeps(self) -> bool:
        """Whether it keeps records that others can change; results by RPC are messages to the sender."""
        return self.configured() and not isinstance(self.capp.backend, RPCBackend)

    def prepare_to_send(self) -> dict[str, Any]:
        """Options that a task needs so that its result can be read here; called in the thread that sends."""
        if not self.configured():
            return {}
        backend = self.capp.backend
        if not getattr(backend, "thread_safe", False):
            # This thread's backend would subscribe to the result of every task, and nobody would listen.
            backend.on_task_call = _no_subscription
        return {"reply_to": self.inbox().address} if isinstance(backend, RPCBackend) else {}

    def inbox(self) -> Inbox:
        """Where results that come by RPC arrive, made when it is first needed."""
        with self._lock:
            if self._inbox is None:
                self._inbox = Inbox(self.capp)
        self._inbox.open()
        return self._inbox

    def _raw(self) -> Any:
        """A copy of this thread's backend that leaves results as they were stored."""
        raw = getattr(self._local, "raw", None)
        if raw is None:
            if not self.configured():
                raise NoBackend("No result backend is configured")
            raw = self._local.raw = _copy_of(self.capp.backend)
        return raw


def _copy_of(backend: Any) -> Any:
    raw = object.__new__(type(backend))
    raw.__dict__.update(backend.__dict__)
    raw.meta_from_decoded = _as_it_is
    raw.always_retry = False
    if hasattr(raw, "connparams"):  # Redis, which would wait two minutes for a silent host
        limits = {"socket_timeout": READ_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}
        raw.connparams = {**raw.connparams, **limits}
        raw.__dict__.pop("client", None)
    return raw


def _read_one(raw: Any, uuid: str) -> Meta:
    return dict(raw.get_task_meta(uuid, cache=False))


def _read_many(raw: Any, uuids: Sequence[str]) -> dict[str, Meta]:
    """All records at once where the backend can do that."""
    keys = [raw.get_key_for_task(uuid) for uuid in uuids]
    try:
        values = raw.mget(keys)
    except NotImplementedError:
        values = [raw.get(key) for key in keys]
    if isinstance(values, dict):
        values = [values.get(key) for key in keys]
    return {uuid: raw.decode(value) for uuid, value in zip(uuids, values, strict=True) if value}


def _as_it_is(meta: Meta) -> Meta:
    return meta


def _no_subscription(_producer: Any, _task_id: str) -> dict[str, Any]:
    return {}
