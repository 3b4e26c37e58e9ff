"""Passwords of users: in clear and hashed."""

from __future__ import annotations

import io
import sys

import argon2
import bcrypt
import pytest

from flower import passwords
from flower.passwords import PasswordFault, Passwords, hashed

WORD = "pässwörd ☃: with all"
SCRYPT = "scrypt$1024$8$1$s3cr3t"
FAST = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ODD = (b"", b":", b"zo", b"zo\xff:\xfe", b"ann:" + b"x" * 5000, b"ann:a\0b", b"ann:\xed\xa0\xbd")
FORMS = {
    "clear": WORD,
    "scrypt": hashed(WORD),
    "bcrypt": bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode(),
    "htpasswd": bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "argon2": FAST.hash(WORD),
}


def known(users: Passwords, credentials: bytes) -> str | None:
    """Who it is, as the gate asks: first what is slow, in a thread."""
    if users.slow(credentials):
        users.check(credentials)
    return users.known(credentials)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sent", [WORD, WORD + "x", WORD[:-1], "", WORD.upper()])
def test_forms(form: str, sent: str) -> None:
    """Every form knows the one password and no other."""
    users = Passwords(["bob:other", f"zoë:{FORMS[form]}"])
    assert ("zoë" if sent == WORD else None) == known(users, f"zoë:{sent}".encode())


@pytest.mark.parametrize("form", FORMS)
def test_latin_1(form: str) -> None:
    """Names and passwords are known in the two spellings in use."""
    stored = "ß" if form == "clear" else hashed("ß")
    assert "zoë" == known(Passwords([f"zoë:{stored}"]), "zoë:ß".encode("latin-1"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sent", ODD)
def test_odd_logins(form: str, sent: bytes) -> None:
    """Whatever is sent is nobody, and never an error."""
    assert None is known(Passwords([f"ann:{FORMS[form]}"]), sent)


@pytest.mark.parametrize("form", ["scrypt", "bcrypt", "argon2"])
def test_hash_is_no_password(form: str) -> None:
    """Who has read the stored form cannot log in with it."""
    assert None is known(Passwords([f"ann:{FORMS[form]}"]), f"ann:{FORMS[form]}".encode())


def test_right_password_is_remembered() -> None:
    """Only the first request costs a hash."""
    users = Passwords([f"ann:{FORMS['bcrypt']}"])
    sent = f"ann:{WORD}".encode()
    assert (True, None) == (users.slow(sent), users.known(sent))
    users.check(sent)
    assert (False, "ann") == (users.slow(sent), users.known(sent))


def test_wrong_password_is_not_remembered() -> None:
    """A wrong one stays wrong and costs a hash each time, so that guessing is slow."""
    users = Passwords([f"ann:{FORMS['bcrypt']}"])
    users.check(b"ann:wrong")
    assert (True, None) == (users.slow(b"ann:wrong"), users.known(b"ann:wrong"))


def test_unknown_name_takes_as_long() -> None:
    """The time does not tell which names there are."""
    asked = []
    users = Passwords([f"ann:{FORMS['bcrypt']}"])
    object.__setattr__(users._hashed[0], "check", lambda word: asked.append(word) or True)
    users.check(b"nobody:word")
    assert ([b"word"], None) == (asked, users.known(b"nobody:word"))


def test_several_passwords_of_one_name() -> None:
    """A name may be there twice."""
    users = Passwords([f"ann:{FORMS['bcrypt']}", f"ann:{hashed('new')}", "ann:clear"])
    assert ["ann"] * 3 == [known(users, f"ann:{word}".encode()) for word in (WORD, "new", "clear")]


@pytest.mark.parametrize(
    "entry, message",
    [
        ("ann", "entry 1 must be user:password"),
        (":s3cr3t", "entry 1 must be user:password"),
        ("ann:", "entry 1 must be user:password"),
        ("ann:$apr1$s3cr3t$y", "too weak, use: htpasswd -B"),
        ("ann:{SHA}s3cr3t", "too weak"),
        ("ann:$2b$12$s3cr3t", "cannot be read"),
        ("ann:$argon2id$v=19$m=65536", "cannot be read"),
        (f"ann:{SCRYPT}", "cannot be read"),
        (f"ann:scrypt$1000$8$1$c2FsdHNhbHQ=${'A' * 44}", "cannot be read"),
        (f"ann:scrypt$33554432$8$1$c2FsdHNhbHQ=${'A' * 44}", "cannot be read"),
        (f"ann:scrypt$1024$8$1$c2FsdHNhbHQ=${'A' * 45}", "cannot be read"),
    ],
)
def test_faults(entry: str, message: str) -> None:
    """What cannot be used is refused in one line without the password."""
    with pytest.raises(PasswordFault, match=message) as told:
        Passwords([entry])
    assert "s3cr3t" not in str(told.value)


@pytest.mark.parametrize("form, package", [("bcrypt", "bcrypt"), ("argon2", "argon2")])
def test_missing_package(form: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must be installed is named."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PasswordFault, match=rf"needs the package {package}: pip install 'flower\[passwords\]'"):
        Passwords([f"ann:{FORMS[form]}"])


def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command reads a password and prints the form that knows it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{WORD}\n"))
    assert 0 == passwords.main([])
    assert "ann" == known(Passwords([f"ann:{capsys.readouterr().out.strip()}"]), f"ann:{WORD}".encode())


@pytest.mark.parametrize("arguments, typed", [(["secret"], ""), ([], "\n")])
def test_command_usage(arguments: list[str], typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password on the command line, or none, is refused."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert 2 == passwords.main(arguments)


def test_file_lines() -> None:
    """A file has a user a line; empty lines and comments are left out."""
    assert ["ann:a", "#b:c "[1:]] == list(passwords.lines("ann:a\n\n# users\nb:c \n"))
