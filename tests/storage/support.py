"""What do the tests of the stores share?"""

from __future__ import annotations

import queue
import sqlite3
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.frontier.store import START, Finished, Offer
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.storage.codec import CannotStore, Codec
from crawler.storage.sqlite import SQLiteStore


class Spider:
    """Has callbacks to be named."""

    name = "sample"

    def parse(self, response: Any) -> None: ...

    def parse_book(self, response: Any) -> None: ...

    def failed(self, failure: Any) -> None: ...


class Connection(sqlite3.Connection):
    """SQLite's own, in the state that a test wants it to be in: ``pragmas`` are carried out before what comes next.

    It is made in place of a plain one by ``sqlite3.connect(…, factory=Connection)``.
    """

    pragmas: ClassVar[list[str]] = []

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        while self.pragmas:
            super().execute(f"PRAGMA {self.pragmas.pop()}").fetchall()
        return super().execute(*statement)


class CallbackQueue:
    """Stands for the reactor: what threads hand over is called while a test waits for a result."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Any] = queue.Queue()

    def callFromThread(self, function: Any, *arguments: Any) -> None:
        self._calls.put((function, arguments))

    def wait(self, deferred: Deferred[Any]) -> Any:
        """Return a Deferred's result, or raise its error."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        while not results:
            function, arguments = self._calls.get(timeout=30)
            function(*arguments)
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]


class Stores:
    """Makes stores and closes them after the test."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.path = folder / "job.sqlite"
        self.reactor = CallbackQueue()
        self.spider = Spider()
        self._made: list[Any] = []

    def make(self, path: Path | None = None, classes: Any = (), **more: Any) -> Any:
        from crawler.storage.memory import MemoryStore

        if self.kind == "memory":
            store: Any = MemoryStore()
        else:
            codec = Codec(self.spider, classes)
            store = SQLiteStore(path or self.path, reactor=self.reactor, codec=codec, **more)
        self._made.append(store)
        return store

    def open(self, **more: Any) -> Any:
        store = self.make(**more)
        self.wait(store.open())
        return store

    def wait(self, deferred: Deferred[Any]) -> Any:
        return self.reactor.wait(deferred)

    def begin(self, store: Any, finished: Finished) -> list[Any]:
        """Commit results of start(); return what was admitted."""
        [answer] = self.wait(store.commit([finished]))
        return list(answer.admitted)

    def finish(self, store: Any, *, ended: bool = False) -> None:
        self.wait(store.finish(ended=ended, reason="test"))

    def close(self) -> None:
        for store in self._made:
            self.wait(store.finish(ended=False, reason="test"))


def offer(url: str, *, check: bool = True, found_on: str = "", number: int | None = None, **fields: Any) -> Offer:
    """Make an offer of a request as the engine does; ``number``: a fingerprint in place of its own."""
    request = Request(url, **fields)
    return Offer(
        request, fingerprint(request) if number is None else number, request.host, request.origin, check, found_on
    )


def begin(stores: Stores, store: Any, *urls: str, **fields: Any) -> list[Any]:
    """Commit these URLs as results of start(); return what was admitted."""
    children = [offer(url, **fields) for url in urls]
    return stores.begin(store, Finished(START, children=children, start_count=len(urls)))


def can_store(codec: Codec, request: Request) -> bool:
    """Tell whether a request has a stored form."""
    try:
        codec.encode_request(request)
    except CannotStore:
        return False
    return True
