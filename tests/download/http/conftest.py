from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.download.http.support import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World("epoll")
    yield made
    made.close()


@pytest.fixture(params=["epoll", "asyncio"])
def each_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The same test on both reactors."""
    made = World(request.param)
    yield made
    made.close()
