"""Who is told of which request code runs?

A store that processes share: if one of them dies, the callback that was running may be why.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Ledger
from crawler.engine.machine import Machine
from crawler.engine.user_code.callbacks import Callbacks, Run, Taker
from crawler.frontier.store import Store
from crawler.model.fields import Callback
from crawler.model.response import Response


class ToldCallbacks(Callbacks):
    """Tells the store of which request code runs, at the beginning and when it goes on."""

    def __init__(self, store: Store, machine: Machine, taker: Taker, ledger: Ledger) -> None:
        super().__init__(machine, taker, ledger)
        self._store = store

    def run(self, call: Callable[[], Any], function: Callback | str, unit: Unit, response: Response | None) -> None:
        """See Callbacks."""
        self._store.running(unit.token)
        super().run(call, function, unit, response)

    def _goes_on(self, run: Run) -> None:
        self._store.running(run.unit.token)

    async def _consume_each(self, run: Run, results: AsyncIterator[Any]) -> None:
        self._goes_on(run)  # a task of asyncio begins later, when others have begun
        await super()._consume_each(run, results)


def callbacks_of(store: Store, machine: Machine, taker: Taker, ledger: Ledger) -> Callbacks:
    """Return what runs callbacks; a store that ``takes`` is told of each."""
    return ToldCallbacks(store, machine, taker, ledger) if store.takes else Callbacks(machine, taker, ledger)
