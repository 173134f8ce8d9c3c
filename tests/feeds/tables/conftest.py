"""The databases that the tests of tables write to: a file, and a server of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgres import PostgresServer, postgres


@dataclass
class Base:
    """An empty database: what a feed's name begins with, and what runs a statement in it and returns the rows."""

    uri: str
    run: Callable[[str], list[Any]]
    json: str

    def feed(self, table: str = "items", more: str = "") -> str:
        return f"{self.uri}?table={table}{more}"


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgres() as running:
        yield running


def sqlite(path: Path) -> Base:
    def run(statement: str) -> list[Any]:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    return Base(f"sqlite:///{path}", run, "TEXT")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """One of each."""
    if request.param == "sqlite":
        return sqlite(tmp_path / "x.db")
    running: PostgresServer = request.getfixturevalue("server")
    name = running.database()
    return Base(running.uri(name), lambda statement: running.run(name, statement), "JSONB")
