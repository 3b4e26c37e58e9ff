"""How values are written for people."""

from __future__ import annotations

import time
from typing import Any

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from flower.utils import template
from flower.utils.template import format_age, format_count, format_duration, format_time, format_value, humanize

UUID = "2b7a3a4e-0f6b-4c3a-9d55-0c1f2e3d4a5b"


@pytest.mark.parametrize(
    "key, expected",
    [
        ("max-concurrency", "Max concurrency"),
        ("task_uuid", "Task UUID"),
        ("parent_id", "Parent id"),
        ("pid", "PID"),
        ("eta", "ETA"),
        ("prefetch_count", "Prefetch count"),
    ],
)
def test_keys_become_labels(key: str, expected: str) -> None:
    """A key is written as a label."""
    assert expected == humanize(key)


@pytest.mark.parametrize(
    "value",
    [UUID, "celery.concurrency.prefork:TaskPool", "(1, 'a_b')", "Already fine", "10/m", "w1@vm", "", 5, {"a": 1}],
)
def test_values_stay(value: Any) -> None:
    """What is not a key is shown as it is."""
    assert value == humanize(value)


@given(st.text(), st.integers(min_value=4, max_value=100))
def test_length_only_cuts(text: str, length: int) -> None:
    """With a length a text is kept or cut to that length, never rewritten."""
    cut = humanize(text, length=length)
    assert (True, True) == (len(cut) <= max(length, 4), cut == text or text.startswith(cut.removesuffix(" ...")))


@pytest.mark.parametrize(
    "value, expected", [(None, ""), ([1, "a", 2.5], "1, a, 2.5"), (("x",), "x"), ([{"a": 1}], [{"a": 1}])]
)
def test_lists(value: Any, expected: Any) -> None:
    """None is empty, scalars are joined, other lists stay."""
    assert expected == humanize(value)


@pytest.mark.parametrize(
    "kind, value, expected",
    [
        ("time", 1_000_000_000.0, "2001-09-09 01:46:40.000000 UTC"),
        ("time-Europe/Berlin", 1_000_000_000.0, "2001-09-09 03:46:40.000000 CEST"),
        ("time", 0, ""),
        ("time", None, ""),
        ("natural-time-Asia/Tokyo", 1_000_000_000.0, "2001-09-09 10:46:40.000000 JST"),
        ("duration", 0.5, "500.00 ms"),
        ("duration", None, ""),
    ],
)
def test_types(kind: str, value: float | None, expected: str) -> None:
    """`type` says how a number is meant."""
    assert expected == humanize(value, type=kind)


def test_natural_time_of_today() -> None:
    """Under a day a natural time says how long ago."""
    assert "2 minutes ago" == humanize(time.time() - 125, type="natural-time")


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (0, "0.00 ms"),
        (0.00303, "3.03 ms"),
        (0.999999, "1.00 s"),
        (1.5, "1.50 s"),
        (59.99, "59.99 s"),
        (59.999, "1m 00s"),
        (61, "1m 01s"),
        (3600, "1h 00m 00s"),
        (90061, "25h 01m 01s"),
        (-1.5, "-1.50 s"),
        (None, ""),
    ],
)
def test_durations(seconds: float | None, expected: str) -> None:
    """A duration has the unit that fits it."""
    assert expected == format_duration(seconds)


@pytest.mark.parametrize(
    "seconds, expected",
    [(-1, "0.0 s"), (0.44, "0.4 s"), (12.7, "12 s"), (200, "3 min"), (8000, "2 h"), (200_000, "2 d"), (None, "")],
)
def test_ages(seconds: float | None, expected: str) -> None:
    """An age is short."""
    assert expected == format_age(seconds)


@pytest.mark.parametrize("value, expected", [(1234567, "1,234,567"), (0, "0"), (None, ""), (2.0, "2"), ("7", "7")])
def test_counts(value: Any, expected: str) -> None:
    """Thousands are set apart."""
    assert expected == format_count(value)


@pytest.mark.parametrize(
    "value, expected",
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        ("a_b", "a_b"),
        ([1, True], "1, yes"),
        ({"ä": [None]}, '{"ä": [null]}'),
        (b"x", "b'x'"),
        ([], ""),
    ],
)
def test_facts(value: Any, expected: str) -> None:
    """A fact is told without Python's notation."""
    assert expected == format_value(value)


def test_time_in_a_zone() -> None:
    """A time carries its zone."""
    assert "2001-09-09 03:46:40.000000 CEST" == format_time(1e9, pytz.timezone("Europe/Berlin"))


def test_task_link_is_escaped() -> None:
    """The anchor holds hostile ids as text."""
    assert '<a href="/task/a&amp;b">&lt;b&gt;</a>' == template.task_link("/task/a&b", "<b>")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("redis://:secret@host/1", "redis://:********@host/1"),
        ("a amqp://u:p%40x@h// b", "a amqp://u:********@h// b"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("http://h/path:with@at", "http://h/path:with@at"),
    ],
)
def test_passwords_of_urls(text: str, expected: str) -> None:
    """The password of a URL within a text is masked, nothing else."""
    assert expected == template.without_passwords(text)


def test_iso_time() -> None:
    """Machines read UTC with milliseconds."""
    assert "2001-09-09T01:46:40.500Z" == template.iso_time(1_000_000_000.5)
