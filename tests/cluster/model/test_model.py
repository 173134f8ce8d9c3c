"""Does the function library keep its promises in random worlds?"""

from __future__ import annotations

import pytest

from crawler.storage.cluster.client import Connection
from tests.cluster.model.library import loaded
from tests.cluster.model.rules import Broken
from tests.cluster.model.worker import Worker
from tests.cluster.model.world import World

pytestmark = pytest.mark.process

WORLDS = 200
AT_ONCE = 25


@pytest.mark.parametrize("first", range(0, WORLDS, AT_ONCE))
def test_nothing_is_lost_or_doubled_and_no_limit_is_broken_in_worlds_from(connection: Connection, first: int) -> None:
    library = loaded(connection)
    for seed in range(first, first + AT_ONCE):
        world = World(library, seed, Worker)
        try:
            world.run()
        except Broken as error:
            pytest.fail(f"seed {seed}, step {world.steps}: {error}")
