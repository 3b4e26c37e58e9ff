"""Small functions that every floor may use, and who may log in."""

from __future__ import annotations

import base64
from pathlib import Path

import celery
import pytest

from flower import VERSION, __version__
from flower.utils import abs_path, bugreport, gen_cookie_secret, mask_url, prepend_url, strtobool
from flower.utils.authentication import authenticate, validate_auth_option


def test_version() -> None:
    """The version is the same as a tuple and as text."""
    assert __version__ == ".".join(map(str, VERSION))


def test_cookie_secret_length() -> None:
    """A cookie secret is 32 bytes in base64."""
    assert 32 == len(base64.b64decode(gen_cookie_secret(), validate=True))


def test_cookie_secret_is_random() -> None:
    """No two cookie secrets are the same."""
    assert gen_cookie_secret() != gen_cookie_secret()


@pytest.mark.parametrize("word", ["flower -> ", "tornado:", "software -> celery:"])
def test_bugreport(word: str) -> None:
    """A bug report names our packages and Celery's."""
    assert word in bugreport(celery.Celery("reported"))


def test_abs_path_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home directory."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert "/home/ann/key.pem" == abs_path("~/key.pem")


def test_abs_path_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is relative to the current directory."""
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path / "key.pem") == abs_path("key.pem")


@pytest.mark.parametrize(
    "url, prefix, expected",
    [
        ("/login", "a", "/a/login"),
        ("/login", "/a/", "/a/login"),
        ("/login", "a/b", "/a/b/login"),
        ("/login", "", "/login"),
        ("/login", "/", "/login"),
    ],
)
def test_prepend_url(url: str, prefix: str, expected: str) -> None:
    """A prefix has one slash on each side, however it is written."""
    assert expected == prepend_url(url, prefix)


@pytest.mark.parametrize("word", ["true", "True", "YES", "on", "1", "t", "y"])
def test_strtobool_true(word: str) -> None:
    """Words that mean yes are 1."""
    assert 1 == strtobool(word)


@pytest.mark.parametrize("word", ["false", "False", "NO", "off", "0", "f", "n"])
def test_strtobool_false(word: str) -> None:
    """Words that mean no are 0."""
    assert 0 == strtobool(word)


@pytest.mark.parametrize("word", ["", "maybe", "2", "truee"])
def test_strtobool_else(word: str) -> None:
    """Any other word is an error."""
    with pytest.raises(ValueError):
        strtobool(word)


@pytest.mark.parametrize(
    "url, expected",
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:pw@localhost/0", "redis://:**@localhost/0"),
        ("amqp://guest:guest@host:5672//", "amqp://guest:**@host:5672//"),
        ("amqp://guest:p@w/o:rd@host//", "amqp://guest:**@host//"),
        ("amqp://guest:p?w@host//", "amqp://guest:**@host//"),
        ("guest:pw@host//", "guest:**@host//"),
        ("amqp://a:b@one//;amqp://c:d@two//", "amqp://a:**@one//;amqp://c:**@two//"),
        ("redis://:a;b@host/0", "redis://:**@host/0"),
        ("sqs://AKIA:se/cr+et@", "sqs://AKIA:**@"),
        ("azureservicebus://policy:k/ey=@space", "azureservicebus://policy:**@space"),
        ("redis://host/0?password=pw&x=1", "redis://host/0?password=**&x=1"),
        ("redis://host/0?x=1&ssl_keypassword=a@b", "redis://host/0?x=1&ssl_keypassword=**"),
        ("redis+socket:///tmp/r.sock?virtual_host=1", "redis+socket:///tmp/r.sock?virtual_host=1"),
        ("memory://", "memory://"),
        ("", ""),
    ],
)
def test_mask_url(url: str, expected: str) -> None:
    """A URL is shown without its secrets, wherever they stand."""
    assert expected == mask_url(url)


@pytest.mark.parametrize(
    "pattern, email",
    [
        ("a@b.co", "a@b.co"),
        ("a@b.co", "A@B.co"),
        ("A@b.co", "a@b.co"),
        ("a@b.co|c@d.co", "c@d.co"),
        ("a@b.co,c@d.co", "c@d.co"),
        ("a@b.co, c@d.co", "c@d.co"),
        (".*@b.co", "anybody+tag@b.co"),
        ("dev-.*@b.co", "dev-ann@b.co"),
        (".*@a.co,.*@b.co", "ann@b.co"),
        ("x@a.co|y@a.co, .*@b.co", "y@a.co"),
    ],
)
def test_authenticate(pattern: str, email: str) -> None:
    """An address that the pattern names is let in."""
    assert authenticate(pattern, email)


@pytest.mark.parametrize(
    "pattern, email",
    [
        ("a@b.co", "a@bxco"),
        ("a@b.co", "xa@b.co"),
        ("a@b.co", "a@b.co.evil.example"),
        ("a@b.co", "a@b.co\n"),
        ("a@b.co|c@d.co", "a@d.co"),
        (".*@b.co", "x@evil.example@b.co"),
        (".*@b.co", "x\n@b.co"),
        (".*@b.co", "x@bxco"),
        ("k@b.co", "\u212a@b.co"),
        ("a.*@b.*", "a@b.co"),
        (".*@a.co,.*@b.co", "ann@c.co"),
        (".*@a.co,.*@b.co", "ann@a.co,x@b.co"),
        ("", ""),
    ],
)
def test_authenticate_refuses(pattern: str, email: str) -> None:
    """An address that the pattern does not name stays outside."""
    assert not authenticate(pattern, email)


@pytest.mark.parametrize(
    "pattern",
    [
        "a@b.co",
        "a@b.co|c@d.co",
        "a@b.co,c@d.co",
        ".*@b.co",
        "a.*@b.co",
        "a+b@c.co",
        ".*@a.co,.*@b.co",
        ".*@a.co, x@b.co|y@b.co",
    ],
)
def test_auth_pattern(pattern: str) -> None:
    """Addresses, lists of them, and one wildcard before the @ are allowed."""
    assert validate_auth_option(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a",
        "a@",
        "@b.co",
        "a@b@c.co",
        "a@b.*",
        ".*@.*",
        ".*a.*@b.co",
        ".*@b.co|a@b.co",
        "*@b.co",
        "a*@b.co",
        "[a-z]+@b.co",
        "(a|b)@b.co",
        "a@b.co|",
        "a@b.co,",
        ".*@a.co,.*@b.*",
    ],
)
def test_auth_pattern_refused(pattern: str) -> None:
    """A pattern that would match nobody, or more than its author thinks, is refused."""
    assert not validate_auth_option(pattern)
