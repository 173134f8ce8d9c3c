"""Which stores does a test run on?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.storage.support import Connection, Stores


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Make stores of each kind: the contract suite."""
    made = Stores(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def pragmas(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is put in here, the next connection that is used carries out first. Asked for before a store is opened."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
    yield Connection.pragmas
    Connection.pragmas.clear()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Stores]:
    """Make SQLite stores only."""
    made = Stores("sqlite", tmp_path)
    yield made
    made.close()
