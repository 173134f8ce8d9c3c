from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.download.http.certificates import Authority
from tests.download.http.support import World
from tests.servers.origins import Origin, nginx


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one that signs the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    return authority.server("127.0.0.1", "localhost")


@pytest.fixture(scope="session")
def origin(certificate: Path) -> Iterator[Origin]:
    """nginx with HTTP/2, for the whole session."""
    with nginx(certificate) as running:
        yield running


@pytest.fixture
def world() -> Iterator[World]:
    made = World("epoll")
    yield made
    made.close()
