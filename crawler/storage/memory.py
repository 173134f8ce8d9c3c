"""How does a crawl keep its requests if nothing has to survive it?

Everything accepted goes straight to the frontier, which holds all of it (no window); what is left to
remember is which fingerprints were seen and which tokens are not finished yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from crawler.errors import StoreError
from crawler.frontier.host import Entry
from crawler.frontier.store import START, Committed, Finished, Offer, Postponed, Resumed
from crawler.model.request import Request
from crawler.storage.seen import SeenSet


class MemoryStore:
    """A Store that forgets: for ``JOB_STORE = None``. Items are numbered but not kept."""

    durable = False
    window: int | None = None

    def __init__(self) -> None:
        self._seen = SeenSet()
        self._open: set[int] = set()
        self._tokens = 0
        self._items = 0

    def __repr__(self) -> str:
        return f"<MemoryStore accepted={self._tokens} open={len(self._open)}>"

    def open(self) -> Deferred[Resumed]:
        """Begin a new crawl."""
        return succeed(Resumed())

    def can_store(self, request: Request) -> bool:
        """Every request can be kept in memory."""
        return True

    def seen(self, fingerprints: Sequence[int]) -> Deferred[list[bool]]:
        """Tell which fingerprints are registered."""
        return succeed([fingerprint in self._seen for fingerprint in fingerprints])

    def commit(
        self,
        finished: Sequence[Finished],
        *,
        postponed: Sequence[Postponed] = (),
        facts: dict[str, Any] | None = None,
    ) -> Deferred[list[Committed]]:
        """Register children and number items; a token that is not open is a StoreError, and nothing changes."""
        tokens = [result.token for result in finished if result.token != START]
        unknown = [token for token in tokens if token not in self._open]
        unknown += [each.token for each in postponed if each.token not in self._open]
        if unknown or len(set(tokens)) < len(tokens):
            return fail(StoreError(f"requests {unknown or tokens} are not open in this store, or finished twice"))
        self._open.difference_update(tokens)
        return succeed([self._commit_one(result) for result in finished])

    def _commit_one(self, result: Finished) -> Committed:
        for fingerprint in result.fingerprints:
            self._seen.add(fingerprint)
        admitted = [self._admit(offer) for offer in result.children]
        first_item = self._items + 1
        self._items += len(result.items)
        return Committed(admitted, first_item)

    def _admit(self, offer: Offer) -> Entry | None:
        request, fingerprint, host, origin, check, _ = offer
        if not self._seen.add(fingerprint) and check:
            return None
        self._tokens += 1
        token = self._tokens
        self._open.add(token)
        return Entry(request, token=token, order=token, host=host, origin=origin)

    def stage(self, token: int, children: Sequence[Offer]) -> Deferred[None]:
        """Not asked of a store that keeps nothing back."""
        return fail(StoreError("a store without a window stages nothing"))

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[bool]:
        """Register the target; tell whether it is new."""
        if postponed.token not in self._open:
            return fail(StoreError(f"request {postponed.token} is not open in this store"))
        return succeed(self._seen.add(fingerprint))

    def lease(self, host: str, count: int, after: tuple[int, int] | None) -> Deferred[list[tuple[Entry, float]]]:
        """Return nothing: all requests are in the frontier."""
        return succeed([])

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """Return nothing: the feeds get their items from the engine."""
        return succeed([])

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """Keep nothing."""
        return succeed(None)

    def feeds(self, names: Sequence[str]) -> Deferred[None]:
        """Keep nothing."""
        return succeed(None)

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        """Forget everything."""
        self._open.clear()
        return succeed(None)
