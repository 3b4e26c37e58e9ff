"""Measures what an event costs from the socket to the store, stage by stage: `python -m benchmarks.stages`.

The code of a server with default options and a full store, but in one thread, one stage after the other; in a server
the threads of the last column run side by side, as far as the interpreter's lock lets them. Processor time, the least
of some rounds. The table goes to benchmarks/stages.md.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import hiredis
from celery import Celery

from benchmarks.traffic import CHANNEL, EVENTS_PER_TASK, messages
from flower.app import Flower
from flower.ingest.decode import Decoder, Event
from flower.ingest.redis import FEED_BYTES, MESSAGES_A_BATCH
from flower.store.saver import BATCH

TASKS = 25_000
"""Of a round."""
FILLING, MEASURED = 4, 3
"""Rounds until a store of the default size is full, and those that count."""
STAGES = {
    "receive: find the messages in what the socket gave": "events",
    "decode: base64 and JSON": "events",
    "merge: into the tasks, secrets hidden": "events",
    "count: metrics, statistics, workers": "events",
    "look for losses": "events",
    "store: write rows, let the oldest go": "store",
}
"""What they do, in their order, and the thread in which a server does it."""
RECEIVE, DECODE, MERGE, COUNT, LOSSES, STORE = STAGES
Spent = dict[str, float]
"""Seconds of a processor by stage."""


class Clock:
    """Adds up processor time."""

    def __init__(self) -> None:
        self.spent: Spent = defaultdict(float)

    @contextmanager
    def at(self, stage: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        self.spent[stage] += time.thread_time() - began


def frame(text: str) -> bytes:
    """A message as Redis sends it to a subscriber."""
    words = (b"pmessage", CHANNEL.encode(), CHANNEL.encode(), text.encode())
    return b"*4\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def received(frames: list[bytes]) -> list[bytes]:
    """The messages in them, read in the pieces in which the server reads them."""
    reader, data = hiredis.Reader(), b"".join(frames)
    found = []
    for start in range(0, len(data), FEED_BYTES):
        reader.feed(data, start, min(FEED_BYTES, len(data) - start))
        while (reply := reader.gets()) is not False:
            found.append(reply[3])
    return found


def go(app: Flower, first: int) -> Spent:
    """Send a round of tasks through all stages; the seconds of each."""
    clock, decoder, now = Clock(), Decoder({"json"}), time.time()
    state, losses = app.cluster.state, app.cluster.events.losses
    frames = [frame(text) for text in messages(TASKS, first)]
    state.tell(now)
    for start in range(0, len(frames), MESSAGES_A_BATCH):
        events: list[Event] = []
        with clock.at(RECEIVE):
            payloads = received(frames[start : start + MESSAGES_A_BATCH])
        with clock.at(DECODE):
            decoder.envelopes(payloads, events)
        with clock.at(MERGE):
            state.apply(events, now, more=True)
        with clock.at(LOSSES):
            losses.hear(events, now)
        if state.unsaved() >= BATCH:
            with clock.at(COUNT):
                state.tell(now)
            with clock.at(STORE):
                state.store.write(state.take(BATCH))
                state.learn({})
    return clock.spent


def table(rounds: list[Spent]) -> str:
    """The least that each stage took, as Markdown."""
    events = TASKS * EVENTS_PER_TASK
    cost = {stage: min(each[stage] for each in rounds) / events * 1e6 for stage in STAGES}
    lines = [f"| {stage} | {cost[stage]:.1f} | {thread} |" for stage, thread in STAGES.items()]
    alone = 1e6 / sum(cost[stage] for stage in (RECEIVE, DECODE, MERGE))
    total = sum(cost.values())
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    return "\n".join(
        [
            "# What an event costs, stage by stage\n",
            f"Made by `python -m benchmarks.stages`: {machine}, a load of {os.getloadavg()[0]:.1f}.\n",
            "| | µs an event | thread |",
            "| --- | ---: | --- |",
            *lines,
            f"| all | {total:.1f} | |\n",
            f"Receiving, decoding and merging alone would go through {alone:,.0f} events a second.\n",
        ]
    )


async def main() -> None:
    """Fill a store, measure, write."""
    with patch("flower.state.Saver"):
        app = Flower(capp=Celery("bench", broker="memory://"))
    app.cluster.state.recall()
    rounds = [go(app, number * TASKS) for number in range(FILLING + MEASURED)]
    app.cluster.state.store.close()
    report = table(rounds[FILLING:])
    Path(__file__).with_suffix(".md").write_text(report)
    print(report)


if __name__ == "__main__":
    asyncio.run(main())
