"""How is a Deferred awaited, whatever runs the coroutine that waits?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

T = TypeVar("T")


async def anywhere(fetched: Deferred[T]) -> T:
    """Wait for a Deferred in asyncio's Tasks, too: those that asyncio.gather() makes cannot await one themselves."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a reactor without an asyncio loop
        task = None
    if task is None:
        return await fetched
    turn = asyncio.get_running_loop().create_future()

    def wake(outcome: T) -> T:
        if not turn.done():
            turn.set_result(None)
        return outcome

    fetched.addBoth(wake)
    try:
        await turn
    except asyncio.CancelledError:
        fetched.cancel()
        fetched.addErrback(lambda _: None)  # nobody waits for it any more
        raise
    return await fetched  # it has fired
