"""Requests as no client sends them, to a server that is started with the first."""

from __future__ import annotations

import atexit
import logging
import os
import re
import socket
from functools import cache
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

from flower import urls
from tests import factories as make
from tests.api.conftest import Server
from tests.fuzz.targets import Target
from tests.fuzz.values import TEXTS

SECONDS = 20.0
"""After which an answer does not come any more."""
NAMES = (
    *(
        "limit",
        "offset",
        "sort",
        "sort_by",
        "search",
        "columns",
        "column",
        "state",
        "name",
        "worker",
        "queue",
        "window",
    ),
    *("q", "refresh", "page", "start", "end", "from", "to", "step", "by", "after", "before", "tz", "range", "type"),
    *("task", "last_id", "format", "which", "draw", "length", "order[0][column]", "order[0][dir]", "workername", "n"),
    *("timeout", "terminate", "signal", "json", "chart", "newest", "count", "open", "next", "who", "until"),
)
ENDLESS = re.compile(rb"[A-Z]+ /+(?:stream|api/events)\b")

server_line = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")
paths = [
    spec.regex.pattern.removesuffix("$").replace("\\.", ".").replace("/?", "/")
    for spec in urls.handlers
    if spec.regex.pattern not in ("/stream$", "/api/events$")
]

targets = TEXTS.map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="")) | st.binary(max_size=20).map(
    lambda data: quote_from_bytes(data, safe="")
)
arguments = st.lists(st.builds("{}={}".format, st.sampled_from(NAMES) | targets, targets), max_size=4).map("&".join)
addresses = st.builds(
    lambda path, target, query: re.sub(r"\(.*?\)", lambda _: target, path) + (f"?{query}" if query else ""),
    st.sampled_from(paths),
    targets,
    arguments,
)
bodies = (
    st.binary(max_size=60)
    | TEXTS.map(lambda text: text.encode("utf-8", "replace"))
    | st.sampled_from(
        [b"{}", b"[]", b"null", b'{"args": 1}', b"[" * 5000, b'{"kwargs": {"a": 1e999}}', b'{"args": ["\\ud800"]}']
    )
)
kinds = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\xff"]
)
SENT = (
    *("Host", "Origin", "Cookie", "Authorization", "Accept-Encoding", "If-None-Match", "Last-Event-ID", "Range"),
    *("X-Requested-With", "HX-Request", "X-Forwarded-For", "X-Forwarded-Proto", "Accept-Language", "Sec-Fetch-Site"),
)
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
values = TEXTS.map(lambda text: CONTROLS.sub("", text).encode("utf-8", "replace")[:4000])
headers = st.dictionaries(st.sampled_from(SENT), values, max_size=2)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """The bytes of a request, now and then damaged."""
    method = draw(st.sampled_from(["GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"]))
    body = draw(bodies) if method in ("POST", "PUT", "PATCH") else b""
    given = {"Host": b"localhost", "Content-Type": draw(kinds).encode("latin-1"), **draw(headers)}
    lines = [f"{method} {draw(addresses)[:8000]} HTTP/1.1".encode("ascii", "replace")]
    lines += [name.encode() + b": " + value for name, value in given.items()]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close"]
    whole = bytearray(b"\r\n".join([*lines, b"", body]))
    for at in draw(st.lists(st.integers(0, min(400, len(whole) - 1)), max_size=2)) if draw(st.booleans()) else ():
        whole[at] = draw(st.integers(0, 255))
    return bytes(whole)


@cache
def server() -> Server:
    """An open server that knows a worker and some tasks; its broker has no workers."""
    os.environ["FLOWER_UNAUTHENTICATED_API"] = "true"
    logging.getLogger("tornado").setLevel(logging.CRITICAL)
    logging.getLogger("flower").setLevel(logging.CRITICAL)
    begun = Server()
    begun.app.settings["site"].operations.timeout = 0.02
    begun.feed(make.heartbeat(), make.success("a"), make.failure("b"), make.received("c"))
    atexit.register(begun.end)
    return begun


def ask(request: bytes) -> None:
    """The server answers, or hangs up on what is no request; it has no fault of its own and goes on."""
    if ENDLESS.match(request):
        return
    host, port = server().url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=SECONDS) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        while chunk := client.recv(1 << 20):
            answer += chunk
    head, _, _ = answer.partition(b"\r\n\r\n")
    found = server_line.match(answer)
    assert not answer or (found and found[1] != b"500"), head
    assert b"\nx-hostile" not in head.lower()
    assert [] == [line for line in head.split(b"\n") if line.lower().startswith(b"set-cookie") and b"h0st1l3" in line]


HTTP = Target(requests(), ask, lambda data: data)
