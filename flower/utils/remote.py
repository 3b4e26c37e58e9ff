"""Asks workers over Celery's remote control: several questions at once, over one connection.

Celery's own `inspect` takes one thread, two pooled connections and a whole timeout for each question, and
counts a late answer to an earlier question as an answer to this one. The messages are the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Producer
from kombu.pidbox import Mailbox
from kombu.utils.uuid import uuid

from flower.utils.broker import without_retries
from flower.utils.coercion import NAME_LIMIT, encodable
from flower.utils.replies import fitting

CONNECT_SECONDS = 2.0
POLL_SECONDS = 0.1
PATIENCE = 5.0
"""As long as answers come in, they are waited for, but no longer than so many timeouts."""

Answers = dict[str, dict[str, Any]]


def ask(
    capp: Celery,
    questions: Mapping[str, dict[str, Any]],
    destination: Sequence[str] | None,
    timeout: float,
    expected: Sequence[str] | None = None,
) -> Answers:
    """Question -> worker -> answer. Blocks until all of `destination` answered, or for `timeout` seconds of silence.

    `questions` are remote control commands and their arguments. When all workers are asked, those of `expected`
    are waited for. Raises what the transport raises.
    """
    mailbox = _mailbox(capp)
    with capp.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
        _limit_waiting(connection, timeout)
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
        inquiry = _Inquiry(connection, mailbox, destination, expected)
        return inquiry.run(questions, timeout)


def _mailbox(capp: Celery) -> Mailbox:
    """A mailbox of its own, so that answers to different inquiries never meet."""
    control: Any = capp.control
    return type(control)(capp).mailbox


def _limit_waiting(connection: Connection, timeout: float) -> None:
    """Redis would wait for ever for a host that swallows packets; some transports look for messages once a second."""
    transport: Any = connection.transport
    if transport.driver_type == "redis":
        limits = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": timeout + CONNECT_SECONDS}
        connection.transport_options = {**limits, **(connection.transport_options or {})}
        without_retries(connection)
    elif getattr(transport, "polling_interval", None):
        transport.polling_interval = min(transport.polling_interval, POLL_SECONDS)


class _Inquiry:
    """Questions on their way. Belongs to one thread."""

    def __init__(
        self,
        connection: Connection,
        mailbox: Mailbox,
        destination: Sequence[str] | None,
        expected: Sequence[str] | None = None,
    ) -> None:
        self.connection = connection
        self.mailbox = mailbox
        self.destination = list(dict.fromkeys(destination)) if destination else None
        self.expected = frozenset(destination or expected or ())
        self.questions: dict[str, str] = {}
        self.answers: Answers = {}
        self.heard_at = 0.0

    def run(self, questions: Mapping[str, dict[str, Any]], timeout: float) -> Answers:
        channel: Any = self.connection.default_channel
        queue = self.mailbox.reply_queue(channel)
        queue.declare()
        consumer = Consumer(channel, [queue], accept=self.mailbox.accept, no_ack=True, auto_declare=False)
        consumer.register_callback(self.hear)
        try:
            with consumer:
                for question, arguments in questions.items():
                    self.send(Producer(channel, auto_declare=False), question, arguments, timeout)
                self.wait(timeout)
        finally:
            channel.after_reply_message_received(queue.name)
        return self.answers

    def send(self, producer: Producer, question: str, arguments: dict[str, Any], timeout: float) -> None:
        ticket = uuid()
        self.questions[ticket] = question
        self.answers[question] = {}
        message = {
            "method": question,
            "arguments": arguments,
            "destination": self.destination,
            "pattern": None,
            "matcher": None,
            "ticket": ticket,
            "reply_to": {"exchange": self.mailbox.reply_exchange.name, "routing_key": self.mailbox.oid},
        }
        headers = {"clock": self.mailbox.clock.forward(), "expires": time.time() + timeout}
        exchange = self.mailbox.exchange
        producer.publish(
            message, exchange=exchange.name, declare=[exchange], headers=headers, serializer=self.mailbox.serializer
        )

    def hear(self, body: Any, message: Any) -> None:
        question = self.questions.get(message.headers.get("ticket"))
        if question is not None and isinstance(body, dict):
            answers = {encodable(name): fitting(question, reply) for name, reply in body.items()}
            self.answers[question].update((name, said) for name, said in answers.items() if len(name) <= NAME_LIMIT)
            self.heard_at = time.monotonic()

    def wait(self, timeout: float) -> None:
        self.heard_at = time.monotonic()
        end = self.heard_at + timeout * PATIENCE
        while not self.complete():
            seconds = min(self.heard_at + timeout, end) - time.monotonic()
            if seconds <= 0:
                return
            try:
                self.connection.drain_events(timeout=seconds)
            except TimeoutError:
                return

    def complete(self) -> bool:
        """Whether everybody who is waited for has answered everything."""
        return bool(self.expected) and all(self.expected <= answers.keys() for answers in self.answers.values())
