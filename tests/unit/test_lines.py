"""Log lines that stay one line."""

from __future__ import annotations

import logging

import pytest

from flower.command import setup_logging
from flower.utils.lines import OneLine, one_line
from tests.hostile import HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_one_line(name: str) -> None:
    """Of every hostile text a line is made that a terminal prints as it is and a file can hold."""
    told = one_line(f"it was {HOSTILE[name]} here")
    assert (1, True) == (
        len(told.splitlines()),
        told.isprintable() or "\t" in told or name in ("emoji", "not characters"),
    )
    told.encode()


def test_plain_text_stays() -> None:
    """What needs no escape is the same."""
    assert "naïve – 日本\ttab" == one_line("naïve – 日本\ttab")


def test_escapes() -> None:
    """Escapes are those of Python."""
    assert r"a\nb\r\x00\x1b[2J\x9b\u2028\u202e\ud800" == one_line("a\nb\r\x00\x1b[2J\x9b\u2028\u202e\ud800")


@pytest.mark.parametrize("extra, told", [({}, r"a\nb"), ({"lines": True}, "a\nb")])
def test_records(extra: dict[str, bool], told: str) -> None:
    """A record is made one line, arguments and all, unless it is meant to have several."""
    record = logging.makeLogRecord({"msg": "a%s", "args": ("\nb",), **extra})
    assert (True, told) == (OneLine().filter(record), record.getMessage())


def test_every_handler_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever logs to the root logger after the start is made one line."""
    handler, access = logging.NullHandler(), logging.getLogger("tornado.access")
    monkeypatch.setattr(access, "propagate", access.propagate)
    monkeypatch.setattr(access, "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    setup_logging()
    assert [True] == [any(isinstance(each, OneLine) for each in handler.filters)]
