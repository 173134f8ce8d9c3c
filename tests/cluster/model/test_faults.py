"""Would the model see that the function library does not keep its promises?"""

from __future__ import annotations

import pytest

from crawler.storage.cluster.client import Connection
from tests.cluster.model.faults import FAULTS, OF_CODE_BY_ITSELF
from tests.cluster.model.library import loaded
from tests.cluster.model.rules import Broken
from tests.cluster.model.worker import Worker
from tests.cluster.model.world import World

pytestmark = pytest.mark.process

ENOUGH = 120
"""Worlds in which a fault has been found long since."""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_model_finds(connection: Connection, fault: str) -> None:
    library = loaded(connection, FAULTS[fault])
    with pytest.raises(Broken):  # noqa: PT012
        for seed in range(ENOUGH):
            World(library, seed, Worker, plain=fault not in OF_CODE_BY_ITSELF).run()


def test_a_patch_that_does_not_fit_is_an_error(connection: Connection) -> None:
    with pytest.raises(AssertionError, match="is there 0 times"):
        loaded(connection, [("no such passage", "")])
