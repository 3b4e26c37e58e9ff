"""Secrets in the texts of tasks: nothing of them is told, whatever is around them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.options import BY_NAME
from flower.settings import from_arguments
from flower.utils.literals import readable
from flower.utils.redaction import MASK, NAMES, Redactor, words_of

REDACTOR = Redactor()
MARK = "§"
"""Stands in secrets and nowhere else."""


@pytest.mark.parametrize(
    "text, told",
    [
        ("{'password': 'x', 'n': 1}", "{'password': '#', 'n': 1}"),
        ('{"password": "x", "a": {"api_key": 5}}', '{"password": "#", "a": {"api_key": "#"}}'),
        ("({'secretKey': [1, 'a]', 2], 'z': 3},)", "({'secretKey': '#', 'z': 3},)"),
        ("{'token': {'a': 'b', 'c': (1,)}}", "{'token': '#'}"),
        ("{'password': 'abc...", "{'password': '#"),
        ("{'password': ...}", "{'password': '#'}"),
        ("{'path': 'C:\\', 'password': 'x'}", "{'path': 'C:\\', 'password': '#'}"),
        ("{'password': 'it\\'s', 'u': 1}", "{'password': '#', 'u': 1}"),
        ("{'password': b'x', 'u': 1}", "{'password': b'#', 'u': 1}"),
        ("{'token': datetime.datetime(2020, 1, 2), 'a': 1}", "{'token': '#', 'a': 1}"),
        ("{'token': Point x=1, y=2, 'a': 1}", "{'token': '#', 'a': 1}"),
        ("{'token': -1.5e3, 1: 2}", "{'token': '#', 1: 2}"),
        ('{\'body\': \'{"password": "x", "b": 1}\'}', '{\'body\': \'{"password": "#", "b": 1}\'}'),
        ('{"body": "{\\"password\\": \\"x, y\\", \\"b\\": 1}"}', '{"body": "{\\"password\\": \\"#\\", \\"b\\": 1}"}'),
        ("User(name='a', password='b', key=5)", "User(name='a', password='#', key=#)"),
        ("get(password='x' host='y')", "get(password='#' host='y')"),
        ("HTTPError: https://h/?api_key=abc&u=1", "HTTPError: https://h/?api_key=#&u=1"),
        ("OSError('redis://u:p@ss@h/0')", "OSError('redis://u:#@h/0')"),
        ("{'password1': 'x', \"user's token\": 'y'}", "{'password1': '#', \"user's token\": '#'}"),
        ("{'X-Api-Key' : 'x', 'HTTP_AUTHORIZATION': 'Bearer y'}", "{'X-Api-Key' : '#', 'HTTP_AUTHORIZATION': '#'}"),
    ],
)
def test_what_is_hidden(text: str, told: str) -> None:
    """Of a secret name the value is hidden to its end, and no more."""
    assert told.replace("#", MASK) == REDACTOR.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "('secret', 'token')",
        "{'max_tokens': 100, 'monkey': 1, 'keyword': 'x', 'secretary': 'Ann', 'passwords': 2}",
        "{'password': None, 'token': '', 'has_key': True}",
        "KeyError: 'password'",
        "the password: it was wrong",
        "a == token == b",
        "https://host/a:b@c",
    ],
)
def test_what_is_not(text: str) -> None:
    """What only looks like a secret name, or has nothing in it, stays, and is the same text."""
    assert text is REDACTOR.text(text)


@pytest.mark.parametrize(
    "name, words",
    [
        ("api_key", "api key"),
        ("apiKey", "api key"),
        ("APIKey", "api key"),
        ("X-API-KEY", "x api key"),
        ("apikey", "apikey"),
        ("password2", "password"),
        ("Größe", "gr öss e"),
        ("__", ""),
    ],
)
def test_words(name: str, words: str) -> None:
    """A name is read word by word, in whatever style it is written."""
    assert words == words_of(name)


def test_own_names() -> None:
    """The names may be others, of several words, in any style."""
    redactor = Redactor(["Card-Number", "pin"])
    told = redactor.text("{'cardNumber': '4111', 'card': 1, 'PIN': 1234, 'password': 'x'}")
    assert "{'cardNumber': '********', 'card': 1, 'PIN': '********', 'password': 'x'}" == told


def test_no_names() -> None:
    """Without names nothing is hidden."""
    redactor, text = Redactor([""]), "{'password': 'redis://:pw@h'}"
    assert (False, text, {"password": "x"}) == (bool(redactor), redactor.text(text), redactor.value({"password": "x"}))


def test_names_of_the_issue() -> None:
    """Hidden by default are at least password, token, secret, key and authorization."""
    assert {"password", "token", "secret", "key", "authorization"} <= set(NAMES)


@pytest.mark.parametrize(
    "given, names", [("pin, api-key", ["pin", " api-key"]), ("", [""]), ([], []), (["a b"], ["a b"])]
)
def test_option(given: Any, names: list[str]) -> None:
    """`--redact` takes names with commas between them, or a list in the file; an empty one is none."""
    assert names == BY_NAME["redact"].convert(given)


@pytest.mark.parametrize("arguments", [["--redact="], ["--redact", ""]])
def test_switched_off(arguments: list[str]) -> None:
    """An empty value on the command line hides nothing."""
    assert not Redactor(from_arguments(arguments)["redact"])


@pytest.mark.parametrize("given", ["a,,b", "_", "password,", ["1"], [5]])
def test_wrong_option(given: Any) -> None:
    """A name without letters would hide nothing, or everything."""
    with pytest.raises(ValueError, match="must be names with letters"):
        BY_NAME["redact"].convert(given)


def test_values() -> None:
    """JSON values are hidden by their names, and looked through for texts."""
    value = {"a": [{"token": 5, "t": ("x", "{'key': 1}")}], "password": None, "key": {"b": 1}, "secret": ""}
    told = {"a": [{"token": MASK, "t": ["x", f"{{'key': '{MASK}'}}"]}], "password": None, "key": MASK, "secret": ""}
    assert told == REDACTOR.value(value)


def test_deep_values() -> None:
    """What is nested too deeply to be looked through is hidden."""
    value: Any = "x"
    for _ in range(5000):
        value = [value]
    assert MASK in json.dumps(REDACTOR.value(value))


def test_it_stays_a_literal() -> None:
    """What could be read as a value before can be read afterwards."""
    text = "{'n': 1, 'password': 5, 'token': ['a', {'b': 2}], 'key': 'x'}"
    assert {"n": 1, "password": MASK, "token": MASK, "key": MASK} == readable(REDACTOR.text(text))


_hostile = st.text(alphabet="a'\"\\,:{}[]()= .\n", max_size=8)
_secrets = st.text(alphabet="a'\"\\,:{}[]()= .\n", max_size=6).flatmap(
    lambda text: st.integers(0, len(text)).map(lambda at: text[:at] + MARK + text[at:])
)
_secret_values = st.recursive(
    _secrets,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(_hostile, inner, min_size=1, max_size=2),
    max_leaves=4,
)
_names = st.sampled_from(["password", "API_KEY", "apiKey", "x-auth-token", "Secret", "credential1"])
_values = st.recursive(
    _hostile | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_hostile, inner, max_size=3),
    max_leaves=4,
)
_arguments = st.tuples(
    st.dictionaries(_hostile, _values, max_size=2),
    st.dictionaries(_names, _secret_values, min_size=1, max_size=2),
    st.dictionaries(_hostile, _values, max_size=2),
).map(lambda parts: {**parts[0], **parts[1], **parts[2]})
_writers = st.sampled_from(
    [repr, json.dumps, saferepr, lambda value: repr(json.dumps(value)), lambda value: f"f({value!r},)"]
)


@settings(max_examples=400)
@given(_arguments, _writers, st.integers(0, 300))
def test_nothing_of_a_secret_is_told(arguments: dict[str, Any], write: Any, cut: int) -> None:
    """Whoever wrote the text, and wherever it was cut: nothing of what stands under a secret name is told."""
    told = [REDACTOR.text(text) for text in (write(arguments), write(arguments)[:cut], write(arguments)[:cut] + "...")]
    assert [False] * 3 == [MARK in text or "\\u00a7" in text for text in told]


@settings(max_examples=200)
@given(st.text(alphabet="key password='\":{}[](),\\ \n@/", max_size=80))
def test_any_text(text: str) -> None:
    """Any text can be looked through, and a second look changes no more."""
    told = REDACTOR.text(text)
    assert (True, told) == (MASK in told or told == text, REDACTOR.text(told))


@pytest.mark.parametrize(
    "part",
    ["key", "'key'", "'key':", "key=", "://a:", "'key': [", "\\'", "{'key': (,", "'key' ", "key=[", "', 'a"],
)
def test_hostile_texts_take_no_longer(part: str) -> None:
    """A megabyte is looked through in a second or less, for no part of it is read again and again."""
    text = "{'key': '" + part * (1_000_000 // len(part))
    assert REDACTOR.text(text).startswith("{'key': '")
