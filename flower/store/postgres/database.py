"""Where the database is, and connections to it."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode

import psycopg
from psycopg import conninfo

from flower.store.errors import AwayError, StoreError

SCHEMA = "flower"

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

    def first(self) -> Connection:
        """A connection. Raises AwayError when there is none, whoever's fault it is."""
        try:
            return self.connect()
        except psycopg.Error as error:
            # What follows a tab is libpq's advice.
            lines = [line.strip() for line in str(error).splitlines() if not line.startswith("\t")]
            raise AwayError(f"{self.description} cannot be used: {' '.join(lines)}") from error

    def lock(self, what: str) -> int:
        """The number of an advisory lock of ours."""
        digest = hashlib.sha256(f"flower {what} {self.schema}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)


def quoted(name: str) -> str:
    """The name as SQL has it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
