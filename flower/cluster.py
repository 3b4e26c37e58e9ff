"""One watched cluster: everything that is known about it and the ways to ask it."""

from __future__ import annotations

from dataclasses import dataclass

from celery import Celery

from flower.audit import Audit
from flower.events import Events
from flower.feed import Feed
from flower.inspector import Inspector
from flower.live import Hub
from flower.metrics import Metrics
from flower.otlp import Export
from flower.queues import Queues
from flower.sampler import Sampler
from flower.state import State
from flower.store import Store


@dataclass(slots=True)
class Cluster:
    """The parts that watch one Celery application, built once by `flower.app`."""

    capp: Celery
    events: Events
    state: State
    store: Store
    inspector: Inspector
    queues: Queues
    sampler: Sampler
    metrics: Metrics
    hub: Hub
    audit: Audit
    feed: Feed
    export: Export | None = None
    """Who sends the metrics to a collector, if one is named."""
