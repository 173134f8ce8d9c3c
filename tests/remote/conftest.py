from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.remote import servers


@pytest.fixture(scope="session")
def s3() -> Iterator[servers.S3]:
    with servers.s3() as server:
        yield server


@pytest.fixture(scope="session")
def ftp() -> Iterator[servers.Place]:
    with servers.ftp() as server:
        yield server


@pytest.fixture(scope="session")
def sftp() -> Iterator[servers.Place]:
    with servers.sftp() as server:
        yield server
