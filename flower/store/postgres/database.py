"""Where the database is, and connections to it."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import psycopg
from psycopg import conninfo

from flower.store.errors import StoreError

logger = logging.getLogger(__name__)

SCHEMA = "flower"
WAIT_SECONDS = 60.0
"""How long a start waits for a database that is not there yet."""
RETRY_SECONDS = 1.0

Connection = psycopg.Connection[tuple[Any, ...]]

_DEFAULTS = {
    "connect_timeout": "5",
    "application_name": "flower",
    # A host that vanished is noticed within half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
_SETTINGS = {
    "client_encoding": "UTF8",
    # Compiling a plan takes longer than any of ours runs.
    "jit": "off",
    # The server notices as soon as we do, and gives the locks of a process that hangs to the others.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "20s",
    "lock_timeout": "15s",
}


class Database:
    """What a `postgresql://` URL names; its parameter `schema` says where in it (`flower` without)."""

    def __init__(self, url: str) -> None:
        url, mark, query = url.partition("?")
        parameters = dict(parse_qsl(query, keep_blank_values=True)) if mark else {}
        self.schema = parameters.pop("schema", "") or SCHEMA
        try:
            given = conninfo.conninfo_to_dict(f"{url}?{urlencode(parameters)}" if parameters else url)
        except psycopg.ProgrammingError as error:
            raise StoreError(f"It is no URL of a PostgreSQL database: {str(error).strip()}") from None
        self._conninfo = conninfo.make_conninfo(
            "", **{**_DEFAULTS, **{name: str(value) for name, value in given.items()}}
        )
        host, port = given.get("host") or given.get("hostaddr"), given.get("port")
        where = f" at {host}{f':{port}' if port else ''}" if host else ""
        self.description = f"PostgreSQL database {given.get('dbname') or given.get('user') or ''}{where}".strip()
        if self.schema != SCHEMA:
            self.description += f", schema {self.schema}"

    def connect(self, **settings: str) -> Connection:
        """A connection in autocommit mode. Raises psycopg.Error."""
        connection = psycopg.connect(self._conninfo, autocommit=True)
        wanted = {**_SETTINGS, **settings, "search_path": quoted(self.schema)}
        calls = ", ".join(["set_config(%s, %s, false)"] * len(wanted))
        try:
            connection.execute(f"SELECT {calls}", [word for pair in wanted.items() for word in pair])
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def wait(self, seconds: float = WAIT_SECONDS) -> Connection:
        """The first connection. Raises StoreError when there is none in that time, or never will be."""
        until = time.monotonic() + seconds
        said = False
        while True:
            try:
                return self.connect()
            except psycopg.Error as error:
                reason = str(error).strip().replace("\n", " ")
                # What the server itself answered (or the address) will not get better by waiting; but it may start up.
                refused = error.sqlstate is not None and not error.sqlstate.startswith(("57P", "53"))
                if refused or _is_final(reason) or time.monotonic() >= until:
                    raise StoreError(f"{self.description} cannot be used: {reason}") from None
                if not said:
                    logger.warning("Waiting up to %d s for %s: %s", seconds, self.description, reason)
                    said = True
            time.sleep(RETRY_SECONDS)

    def lock(self, what: str) -> int:
        """The number of an advisory lock of ours."""
        digest = hashlib.sha256(f"flower {what} {self.schema}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)


def _is_final(reason: str) -> bool:
    """Whether a failed connection is nobody's outage; libpq gives no code for what a server says at the door."""
    return any(
        words in reason
        for words in ("password", "does not exist", "pg_hba.conf", "authentication", "invalid", "certificate")
    )


def quoted(name: str) -> str:
    """The name as SQL has it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
