"""What rows does one commit write?

Everything of a commit is put into its stored form here, in the caller's thread and before anything is
written: what the store's thread gets are plain numbers, texts and bytes that nobody changes any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from crawler.frontier.store import Attempt, Finished, MemoryChange, Offer, Postponed
from crawler.model.request import Request
from crawler.storage.codec import CannotStore, Codec
from crawler.storage.shapes import ItemObject
from crawler.storage.values import Value

logger = logging.getLogger(__name__)

_encode_plain = msgspec.msgpack.Encoder().encode

_REMEMBERED = 1000
"""So many losses are told, each once."""

FORMS_KEPT = 20_000
"""Stored forms of requests that were made to see whether there is one, and that wait for their commit."""

PRIORITY_LIMIT = 2**62
"""Priorities beyond this do not fit a row; such a request is carried."""


class Child(NamedTuple):
    """One offered request; ``fingerprint`` is signed."""

    fingerprint: int
    check: bool
    rank: int
    host: str
    origin: str
    url: str
    body: bytes
    found_on: str | None


children_staged = msgspec.msgpack.Decoder(list[Child]).decode


class Moved(NamedTuple):
    """One postponed request; ``body`` None leaves what its row has."""

    token: int
    rank: int
    host: str
    origin: str
    url: str
    body: bytes | None
    not_before: float
    attempts: bytes | None


class Remembered(NamedTuple):
    """One change of a stage's memory; ``value`` None: the key is gone. See MemoryChange."""

    stage: str
    name: str
    key: bytes
    value: bytes | None
    operation: str
    item: int


class Result(NamedTuple):
    """One finished request; ``page`` is the URL its children were found on, where that is one."""

    token: int
    outcome: str
    reason: str
    page: str | None
    children: list[Child]
    items: list[bytes]
    memory: list[Remembered]
    fingerprints: list[int]
    attempts: bytes | None
    refusals: list[tuple[str, str, str, str]]
    start: tuple[int, bool, list[int]]


class Group(NamedTuple):
    """All of one commit."""

    moved: list[Moved]
    results: list[Result]
    facts: list[tuple[str, bytes | None]]


def signed(number: int) -> int:
    """Return an unsigned 64-bit number as SQLite's signed one."""
    return number - 2**64 if number >= 2**63 else number


def text(value: str) -> str:
    """Return text that UTF-8 can carry: lone surrogates are escaped. For texts that are only shown."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _told_in_log(what: str, error: BaseException) -> None:
    logger.error("%s cannot be kept in the job, and a resume will not have it: %s", what, error)


def _shown(key: Hashable) -> str:
    try:
        return f"{key!r:.60}"
    except BaseException:  # an object of the user's own class
        return f"a {type(key).__qualname__}"


class Rows:
    """Makes rows with a codec, and keeps stored forms that were made ahead until their commit asks for them.

    ``lost(what, error)`` is told of values of the user's that are left out, since they have no stored form. Priorities
    are kept between ``-limit`` and ``limit``.
    """

    def __init__(self, codec: Codec, *, limit: int = PRIORITY_LIMIT) -> None:
        self._codec = codec
        self._limit = limit
        self._requests: dict[Request, bytes] = {}
        self._items: dict[int, bytes] = {}
        self._told: set[str] = set()
        self.lost: Callable[[str, BaseException], None] = _told_in_log

    def __repr__(self) -> str:
        return f"<Rows by {self._codec!r}>"

    def can_store(self, request: Request) -> bool:
        """Tell whether the request has a stored form, and keep that form for the commit. Never raises."""
        try:
            if -self._limit < request.priority < self._limit and request.url.isascii():
                form = self._codec.encode_request(request)
                if len(self._requests) >= FORMS_KEPT:
                    self._requests.clear()
                self._requests[request] = form
                return True
        except BaseException:  # whatever a foreign object does when it is looked at: it is not stored
            pass
        return False

    def keep_item(self, item: ItemObject) -> None:
        """Make the form of an item ahead; raises whatever that raises. The caller keeps the object until its commit."""
        self._items[id(item)] = self._codec.encode_item(item)

    def _form_of(self, request: Request) -> bytes:
        form = self._requests.pop(request, None)
        return self._codec.encode_request(request) if form is None else form

    def _form_of_item(self, item: ItemObject) -> bytes:
        form = self._items.pop(id(item), None)
        return self._codec.encode_item(item) if form is None else form

    def group(self, finished: Sequence[Finished], postponed: Sequence[Postponed], facts: dict[str, Any]) -> Group:
        """Put a whole commit into rows; raises CannotStore."""
        return Group(
            [self.moved(each) for each in postponed],
            [self._result(each) for each in finished],
            [(name, self._fact(name, value)) for name, value in facts.items()],
        )

    def staged(self, children: Sequence[Offer]) -> bytes:
        """Put children of an unfinished request into what `children_staged` reads; raises CannotStore."""
        page = text(children[0].found_on)
        return _encode_plain([self._child(offer, page) for offer in children])

    def _fact(self, name: str, value: Value) -> bytes | None:
        """Put a fact into its stored form, None for one that is gone; what of it has no form is left out: it is not
        worth the crawl."""
        if value is None:
            return None
        try:
            return self._codec.encode(value)
        except BaseException as error:  # whatever an object of the user's does when it is looked at
            if type(value) is not dict:
                raise CannotStore(f"{name}: {error}") from error
        return self._codec.encode(self._storable(value, name))

    def _memory(self, changes: Sequence[MemoryChange]) -> Iterator[Remembered]:
        encode = self._codec.encode
        for change in changes:
            try:
                value = encode(change.value) if change.op != "del" else None
                yield Remembered(change.stage, change.name, encode(change.key), value, change.op, change.item)
            except BaseException as error:  # it was plain when it was assigned, and was changed since
                self._lose(f"the memory {change.name!r} of {change.stage}, at {_shown(change.key)},", error)

    def _lose(self, what: str, error: BaseException) -> None:
        """A value of the user's is not kept: tell it once."""
        if what not in self._told and len(self._told) < _REMEMBERED:
            self._told.add(what)
            self.lost(what, error)

    def moved(self, postponed: Postponed, *, redirected: bool = False) -> Moved:
        """Put a postponed request into a row; raises CannotStore for one that was redirected."""
        token, request = postponed.token, postponed.request
        try:
            body: bytes | None = self._form_of(request)
        except BaseException as error:  # an object in its meta or cb_kwargs was changed since it was accepted
            self._lose(f"what {request.url} has in meta or cb_kwargs", error)
            body = self._form_of(self._without_odd(request)) if redirected else None
        return Moved(
            token, -request.priority, postponed.host, postponed.origin, request.url, body,
            postponed.not_before, self._attempts(postponed.attempts),
        )  # fmt: skip

    def _without_odd(self, request: Request) -> Request:
        """Return the request with those values of meta and cb_kwargs that have a stored form."""
        kept: Request = request.replace(meta=self._storable(request.meta), cb_kwargs=self._storable(request.cb_kwargs))
        return kept

    def _storable(self, values: Mapping[Any, Value], name: str = "") -> dict[Any, Value]:
        """Return what has a stored form; what has none is told to be lost of what has a ``name``."""
        kept = {}
        for key, value in list(values.items()):
            try:
                self._codec.encode({key: value})
                kept[key] = value
            except BaseException as error:
                if name:
                    self._lose(f"{name}[{_shown(key)}]", error)
        return kept

    def _result(self, result: Finished) -> Result:
        page = text(result.children[0].found_on) if result.children else None
        return Result(
            token=result.token,
            outcome=result.outcome,
            reason=text(result.reason),
            page=page,
            children=[self._child(offer, page) for offer in result.children],
            items=[self._form_of_item(item) for item in result.items],
            memory=list(self._memory(result.memory)),
            fingerprints=[signed(fingerprint) for fingerprint in result.fingerprints],
            attempts=self._attempts(result.attempts),
            refusals=[(text(r.url), text(r.reason), text(r.detail), text(r.found_on)) for r in result.refusals],
            start=(result.start_count, result.start_ended, [signed(digest) for digest in result.start_digests]),
        )

    def _child(self, offer: Offer, page: str | None) -> Child:
        request, fingerprint, host, origin, check, found_on = offer
        if fingerprint >= 2**63:
            fingerprint -= 2**64
        elsewhere = None if found_on == page else text(found_on)
        try:
            form = self._form_of(request)
        except BaseException as error:  # as above
            self._lose(f"what {request.url} has in meta or cb_kwargs", error)
            form = self._form_of(self._without_odd(request))
        return Child(fingerprint, check, -request.priority, host, origin, request.url, form, elsewhere)

    @staticmethod
    def _attempts(attempts: Sequence[Attempt]) -> bytes | None:
        if not attempts:
            return None
        return _encode_plain([(when, text(url), outcome, text(detail)) for when, url, outcome, detail in attempts])
