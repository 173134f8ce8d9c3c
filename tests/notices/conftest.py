from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notices.support import Sending


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """What a test has left under way is given up: else it is so by the garbage collector, in another test."""
    yield
    while Sending.begun:
        Sending.begun.pop().deferred.cancel()
