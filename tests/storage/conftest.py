"""Which stores does a test run on?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.support import Stores


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Make stores of each kind: the contract suite."""
    made = Stores(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Stores]:
    """Make SQLite stores only."""
    made = Stores("sqlite", tmp_path)
    yield made
    made.close()
