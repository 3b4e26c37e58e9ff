"""Answers that are given again while nothing changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable
from pathlib import Path

import pytest

from flower.store import open_store
from flower.store.revision import Revision
from flower.utils import repeats
from flower.utils.repeats import Answer, Repeats


class Maker:
    """Makes answers, each another one."""

    def __init__(self, size: int = 1) -> None:
        self.made = 0
        self.size = size
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def make(self) -> Answer:
        self.made += 1
        number = self.made
        await self.go_on.wait()
        if number == 0:
            raise ValueError("nothing is made")
        return str(number).encode() * self.size, False


def asked(work: Awaitable[list[bytes]]) -> list[bytes]:
    async def run() -> list[bytes]:
        return await work

    return asyncio.run(run())


async def answers(maker: Maker, *questions: tuple[str, int | None]) -> list[bytes]:
    """What each (key, revision) is answered, one after the other."""
    kept = Repeats()
    return [(await kept.answer(key, revision, maker.make))[0] for key, revision in questions]


def test_the_same_again() -> None:
    """Who asks the same at the same revision gets the same; another question is another answer."""
    assert [b"1", b"1", b"2"] == asked(answers(Maker(), ("a", 2), ("a", 2), ("b", 2)))


def test_a_change() -> None:
    """At another revision, and where it cannot be told, the answer is made anew."""
    assert [b"1", b"2", b"3", b"4", b"5"] == asked(
        answers(Maker(), ("a", 2), ("a", 4), ("a", None), ("a", None), ("a", 2))
    )


def test_a_large_answer() -> None:
    """One that takes much memory is not kept."""
    assert 2 == len(set(asked(answers(Maker(repeats.LARGEST), ("a", 2), ("a", 2)))))


def test_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers in an answer may be a moment old, and do not grow older by being told again."""
    monkeypatch.setattr(repeats, "KEPT_SECONDS", -1.0)
    assert [b"1", b"2"] == asked(answers(Maker(), ("a", 2), ("a", 2)))


def test_those_who_ask_meanwhile() -> None:
    """They wait for the answer that is being made; who goes away takes it from nobody."""

    async def scene() -> tuple[int, bytes]:
        maker, kept = Maker(), Repeats()
        maker.go_on.clear()
        impatient, patient = (asyncio.ensure_future(kept.answer("a", 2, maker.make)) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        maker.go_on.set()
        body, _ = await patient
        return maker.made, body

    assert (1, b"1") == asyncio.run(scene())


def test_an_error_is_not_kept() -> None:
    """The next one who asks may have more luck."""

    async def scene() -> bytes:
        maker, kept = Maker(), Repeats()
        maker.made = -1
        with pytest.raises(ValueError, match="nothing is made"):
            await kept.answer("a", 2, maker.make)
        return (await kept.answer("a", 2, maker.make))[0]

    assert b"1" == asyncio.run(scene())


def test_few_are_kept() -> None:
    """Memory does not grow with the questions."""

    async def scene() -> int:
        maker, kept = Maker(), Repeats()
        for number in range(10 * repeats.MOST):
            await kept.answer(number, 2, maker.make)
        return len(kept._kept)

    assert asyncio.run(scene()) <= repeats.MOST


def test_revision() -> None:
    """It is another one after each change, and not told in the midst of one, nor where others write too."""
    alone, shared = Revision(shared=False), Revision(shared=True)
    before = alone.number
    with alone.changing():
        assert alone.number is None
    assert before != alone.number
    assert alone.number is not None
    assert shared.number is None


def test_revision_of_a_store(tmp_path: Path) -> None:
    """A written task changes it, also when the writing fails; what is kept besides tasks does not."""
    store = open_store(str(tmp_path / "tasks.db"), persistent=True, max_tasks=10)
    try:
        revisions = [store.revision.number]
        store.write([{"uuid": "1", "state": "SUCCESS", "timestamp": 1.0}])
        revisions.append(store.revision.number)
        with pytest.raises(sqlite3.IntegrityError):
            store.write([{"uuid": None, "stored": True}])
        revisions.append(store.revision.number)
        store.save_workers({"celery@one": {}}, [])
        assert 3 == len(set(revisions))
        assert revisions[-1] == store.revision.number
    finally:
        store.close()
