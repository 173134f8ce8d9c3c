"""How is a Deferred awaited, whatever runs the coroutine that waits?"""

from __future__ import annotations

import asyncio
from typing import Any

from crawler.model.response import Response


async def anywhere(fetched: Any) -> Response:
    """Wait for a Deferred in whatever Task runs: asyncio.gather() makes Tasks that know none."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a reactor without an asyncio loop
        task = None
    if task is None:
        return await fetched  # type: ignore[no-any-return]  # a Deferred
    turn = asyncio.get_running_loop().create_future()

    def wake(outcome: Any) -> Any:
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
    return await fetched  # type: ignore[no-any-return]  # it has fired
