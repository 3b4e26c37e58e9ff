"""Fixtures of every test: the brokers and databases, started when the first test asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from kombu.transport.memory import Channel

from tests.databases import Databases, EmptyStore, empty_file
from tests.services import PostgreSQL, RabbitMQ, Redis

REAL = {"api", "integration", "browser"}
"""The folders of tests with servers, processes and browsers."""

# The same examples in every run, however slow the machine is; `make fuzz` tries others.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for processes is tried again: a shared machine may stand still for longer than any limit.

    What had to be tried again is listed at the end.
    """
    for item in items:
        if REAL.intersection(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


@pytest.fixture(scope="module", autouse=True)
def memory() -> Iterator[None]:
    """The broker in memory is one for the whole process: no module finds what another one sent."""
    yield
    Channel.queues.clear()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A running Redis that all tests share; `redis.url` says where."""
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.end()


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A running RabbitMQ that all tests share; `rabbitmq.url` and `rabbitmq.api_url` say where."""
    server = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """A running PostgreSQL that all tests share; `postgresql.url` says where."""
    server = PostgreSQL(tmp_path_factory.mktemp("postgresql"))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def databases(postgresql: PostgreSQL) -> Databases:
    """Databases for tests that need one to themselves."""
    return Databases(postgresql.url)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> EmptyStore:
    """Opens an empty store of either engine: `with empty(max_tasks=100) as store`."""
    if request.param == "sqlite":
        return empty_file
    databases: Databases = request.getfixturevalue("databases")
    return databases.empty
