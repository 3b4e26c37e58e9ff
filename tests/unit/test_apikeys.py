"""API keys: how they are written and recognised."""

from __future__ import annotations

import hashlib
import hmac
import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flower import apikeys
from flower.admission import api_keys, cors_origins
from flower.apikeys import KeyFault, find, hashed, lines, main, read
from flower.options import OptionError

KEY = "b7c1e0-a-long-random-key"


@pytest.mark.parametrize(
    "entry, name, role, key",
    [
        ("ci:abc", "ci", "viewer", "abc"),
        ("ci:abc:admin", "ci", "admin", "abc"),
        ("ci:a:b:c:operator", "ci", "operator", "a:b:c"),
        (" ci:abc ", "ci", "viewer", "abc"),
        ("zoë@home:ключ", "zoë@home", "viewer", "ключ"),
        (f"ci:{hashed(KEY)}", "ci", "viewer", KEY),
        (f"ci:{hashed(KEY)}:admin", "ci", "admin", KEY),
    ],
)
def test_read(entry: str, name: str, role: str, key: str) -> None:
    """A name, a key in clear or hashed, and perhaps a role."""
    keys = read([entry])
    found = find(keys, key.encode())
    assert found is keys[0]
    assert (name, role) == (found.name, found.role)


@pytest.mark.parametrize(
    "entries, message",
    [
        (["secret-without-name"], "entry 1 must be name:key"),
        (["a:b", ""], "entry 2 must be name:key"),
        (["ci:"], "entry 1 must be name:key"),
        ([":key"], "entry 1 must be name:key"),
        (["a b:key"], "entry 1 must be name:key"),
        (["ci:secret:amdin"], "the role of the key 'ci' must be one of viewer, operator, admin"),
        (["ci:secret:"], "the role of the key 'ci' must be one of"),
        (["ci::admin"], "the key 'ci' must not be empty"),
        (["ci:a b"], "must not be empty nor have blanks"),
        (["ci:sha256$12$34"], "must be stored as sha256"),
        (["a:x", "a:y"], "there are two keys named 'a'"),
    ],
)
def test_fault(entries: list[str], message: str) -> None:
    """A wrong entry is told by its name or its number, never with the key."""
    with pytest.raises(KeyFault) as told:
        read(entries)
    assert message in str(told.value)
    assert "secret" not in str(told.value)


def test_key_is_not_kept() -> None:
    """Neither the key nor its hash shows when an object is printed."""
    assert "ApiKey(name='ci', role='viewer', short=True)" == repr(read(["ci:abc"])[0])


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """All keys are compared in constant time, as bytes, wherever the right one stands."""
    compared: list[tuple[type, type]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((type(one), type(other)))
        return one == other

    monkeypatch.setattr(apikeys.hmac, "compare_digest", compare)
    find(read(["a:1", "b:2", "c:3"]), b"1")
    assert [(bytes, bytes)] * 3 == compared


def test_hashes_are_salted() -> None:
    """The same key is stored in another way each time, and as anybody can check it."""
    one, other = hashed(KEY), hashed(KEY)
    _, salt, digest = one.split("$")
    assert one != other
    assert hmac.compare_digest(digest, hashlib.sha256(bytes.fromhex(salt) + KEY.encode()).hexdigest())


def test_lines() -> None:
    """Comments and empty lines of a file are left out."""
    assert ["a:b", "c:d#e"] == list(lines("# keys\n\na:b\n  # more\n  c:d#e  \n"))


def given(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"api_keys": [], "api_keys_file": None, "cors_origins": [], "basic_auth": []} | values)


def test_keys_of_option_and_file(tmp_path: Path) -> None:
    """Keys come from the option and from the file."""
    file = tmp_path / "keys"
    file.write_text("# comment\nb:2:admin\n", encoding="utf-8")
    assert ["a", "b"] == [key.name for key in api_keys(given(api_keys=["a:1"], api_keys_file=str(file)))]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "has no key"),
        (b"# only\n", "has no key"),
        (b"a:1:boss\n", "api_keys_file: the role of the key 'a'"),
        (b"x:1\n", "the key 'x' is in api_keys too"),
        (b"\xff", "cannot be read"),
    ],
)
def test_file_fault(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that would not protect ends the start."""
    file = tmp_path / "keys"
    file.write_bytes(content)
    with pytest.raises(OptionError, match=message):
        api_keys(given(api_keys=["x:0"], api_keys_file=str(file)))


@pytest.mark.parametrize("protection", [{"basic_auth": ["a:b"]}, {"api_keys": ["a:b"]}, {"api_keys_file": "keys"}])
def test_all_origins_only_where_nothing_is_protected(protection: dict[str, Any]) -> None:
    """`*` and a login do not go together."""
    with pytest.raises(OptionError, match="cors_origins"):
        cors_origins(given(cors_origins=["*"], **protection))


def test_new(capsys: pytest.CaptureFixture[str]) -> None:
    """`new` shows a key and the form that fits it."""
    assert 0 == main(["new"])
    key, stored = (line.split()[-1] for line in capsys.readouterr().out.splitlines())
    assert find(read([f"ci:{stored}"]), key.encode()) is not None
    assert len(key) > 40


def test_hash(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`hash` reads the key from stdin."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    assert 0 == main(["hash"])
    assert find(read([f"ci:{capsys.readouterr().out.strip()}"]), KEY.encode()) is not None


@pytest.mark.parametrize("key", ["short", "with a blank in the middle"])
def test_hash_refuses_weak_keys(key: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that can be guessed is not hashed, since the hash would not protect it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(key))
    assert 2 == main(["hash"])
    assert key not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["hash", "my-key-on-the-command-line"], ["help"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Keys are not taken from the command line."""
    assert 2 == main(arguments)
    assert capsys.readouterr().err.startswith("Usage: python -m flower.apikeys")
