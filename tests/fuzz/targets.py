"""What is fuzzed: for each a kind of input, and what must hold whatever it is."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from flower.feed import Pick, formatted, is_task_event, task_of
from flower.ingest.decode import Decoder
from flower.metrics import Metrics
from flower.options import OptionError
from flower.settings import from_arguments, from_environment
from flower.state import State
from flower.store import TaskQuery, open_store
from flower.utils.json import dumps
from flower.utils.redaction import Redactor
from flower.utils.replies import SHAPES, UNFIT, fitting
from flower.utils.search import QuerySyntaxError, parse_query
from flower.views.facts import facts_of
from tests.fuzz.values import BATCHES, TEXTS, VALUES, envelope, payloads

SLOW_SECONDS = 5.0
"""What keeps the processor busy for longer with one input is a hang, however busy the machine is."""
MARK = "s3cr3t-§"


@dataclass(frozen=True, slots=True)
class Target:
    """`check` raises for a fault. `of_bytes` makes an input of raw bytes, for a fuzzer that follows the code's ways."""

    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    of_bytes: Callable[[bytes], Any] | None = None

    def run(self, given: Any) -> bool:
        """True. Raises for a fault, and for a hang."""
        began = time.thread_time()
        self.check(given)
        assert time.thread_time() - began < SLOW_SECONDS
        return True


def decode(payload: bytes) -> None:
    """Every payload is events, or is counted; alone, and twice at once."""
    decoder, events = Decoder(("json",)), list[Any]()
    decoder.envelope(payload, events)
    decoder.envelopes([payload, payload], events)
    json.dumps(events, ensure_ascii=False, default=repr).encode()


@cache
def state() -> State:
    """One for all inputs: what the last one left is there for the next."""
    known = State(open_store(max_tasks=500), max_workers=50)
    known.redactor = Redactor()
    known.observers.append(Metrics(known, [0.1, 1.0]))
    known.tap = lambda events, number: [told(known, event) for event in events] and None
    return known


def told(known: State, event: Any) -> None:
    """An event as listeners of the stream get it."""
    pick = Pick(search=parse_query("name:a -state:x kwargs:b=1"))
    for wanted in (Pick(), pick):
        if wanted.wants(event, lambda seen: task_of(known, seen)):
            shown = formatted(event, task_of(known, event), lambda task: task) if is_task_event(event) else event
            json.loads(dumps(shown))


def apply(events: list[Any]) -> None:
    """Events are taken in or counted, what is kept can be stored, read, found, told and measured."""
    known = state()
    received = known.totals["received"]
    known.apply(events)
    assert known.totals["received"] == received + len(events)
    assert known.flush()
    assert (None, None) == (known.store.failing_since, known.store.failure)
    tasks = known.store.search(TaskQuery(limit=20)).tasks
    json.loads(dumps(tasks).decode())
    known.observers[0].render("text/plain")  # type: ignore[attr-defined]


def search(text: str) -> None:
    """A text is a search or a mistake; a search runs."""
    try:
        query = parse_query(text)
    except QuerySyntaxError:
        return
    query.matches({"name": "a", "args": text, "state": "FAILURE", "received": 1.0})
    state().store.search(TaskQuery(search=query, limit=5))


def options(words: list[str]) -> None:
    """Words of a command line, and variables, are values or a mistake in words."""
    with contextlib.suppress(OptionError):
        from_arguments(words)
    for word in words:
        name, _, value = word.partition("=")
        with contextlib.suppress(OptionError):
            from_environment({f"FLOWER_{name.strip('-').replace('-', '_').upper()}": value})


REDACTOR = Redactor()


def redact(text: str) -> None:
    """Any text can be looked through, and a secret behind a secret name is not told whatever follows."""
    REDACTOR.text(text)
    assert MARK not in REDACTOR.text(f"{{'password': '{MARK}', {text.replace(MARK, '')}")
    REDACTOR.value({"a": [text, {text: text}]})


def reply(given: tuple[str, Any]) -> None:
    """Whatever a worker replies, its page and its JSON can be made."""
    question, value = given
    fit = fitting(question, value)
    if fit != UNFIT and question in SHAPES:
        facts_of({question: fit})
    json.loads(dumps(fit).decode())


WORDS = st.text("abqx:=<>~*\"'()[]{}-_.,\\/ \t\n§&|0159%\u2028\ud800", max_size=60)
KEYWORDS = st.sampled_from(["state:", "NOT ", "OR ", "AND ", "kwargs:", "runtime:>", "password=", "'key': ", "{", "("])
PHRASES = st.lists(KEYWORDS | WORDS | TEXTS, max_size=8).map("".join)
FLAGS = st.sampled_from(["--port", "--db", "--auth", "--redact", "--basic_auth", "--url_prefix", "--max_tasks", "-A"])
ARGUMENTS = st.builds("{}{}{}".format, FLAGS | TEXTS, st.sampled_from(["=", "", " "]), PHRASES) | TEXTS

TARGETS: dict[str, Target] = {
    "decoder": Target(payloads(), decode, lambda data: envelope(data[1:]) if data[:1] < b"\x80" else data),
    "state": Target(BATCHES, apply),
    "search": Target(PHRASES, search, lambda data: data.decode("utf-8", "replace")),
    "options": Target(st.lists(ARGUMENTS, max_size=4), options),
    "redactor": Target(PHRASES, redact, lambda data: data.decode("utf-8", "replace")),
    "replies": Target(st.tuples(st.sampled_from([*SHAPES, "pool_grow"]), VALUES), reply),
}
