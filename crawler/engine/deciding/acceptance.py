"""May this request join the crawl?

The order is: valid, then the filters, then seen. What a filter refuses is not marked as seen. New or
duplicate is the store's answer, so this room ends with an Offer to the store.

A spider that lists a page as a start and meets it again as a link wants both callbacks to have it. So another
callback than start()'s is a new request once, under a fingerprint of its own; from then on the page is seen for
every callback, as all others are for start()'s own callback from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from zlib import crc32

from crawler.engine.keeping.unit import Unit
from crawler.errors import InvalidRequest
from crawler.frontier.store import Offer
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import is_http, origin_of
from crawler.policy.scope import DepthFilter, RequestFilter, referer_for
from crawler.policy.verdict import Drop


class Acceptance:
    """The way from a request that a spider yielded to an Offer.

    ``filters`` judge each request, ``redirect_filters`` the target of a redirect; both are called with
    (request, response it was found on or None). ``referrer_policy`` None sends no Referer. ``redirects_as_new``:
    where a redirect leads is a duplicate if it was seen, be it in its own chain, or the answer to a form.
    """

    def __init__(
        self,
        filters: Sequence[RequestFilter],
        redirect_filters: Sequence[RequestFilter],
        *,
        fingerprint: Callable[[Request], int],
        slot_key: Callable[[Request], str],
        referrer_policy: str | None,
        redirects_as_new: bool = False,
    ) -> None:
        self._filters = tuple(filters)
        self._redirect_filters = tuple(redirect_filters)
        self.fingerprint = fingerprint
        self.slot_key = slot_key
        self._referrer_policy = referrer_policy
        self.redirects_as_new = redirects_as_new
        self._page: Response | None = None
        self._page_origin = ""
        self._referers: dict[tuple[bool, bool], list[tuple[bytes, bytes]]] = {}

    def offer(self, request: Request, found_on: Response | None, *, redirected: bool = False) -> Offer | Drop:
        """Return the offer, or why the request is refused; ``redirected``: it is the target of a redirect."""
        if request.problem is not None:
            return Drop("invalid_url", request.problem)
        for judge in self._redirect_filters if redirected else self._filters:
            verdict = judge(request, found_on)
            if isinstance(verdict, Drop):
                return verdict
            request = verdict
        if found_on is not None and self._referrer_policy is not None:
            self._refer(request, found_on, self._referrer_policy)
        return self._offered(request, found_on.url if found_on is not None else "")

    def limit_depth(self, depth_limit: int) -> bool:
        """Judge depths by another limit from now on; False if no filter does."""
        depths = [each for each in self._filters if isinstance(each, DepthFilter)]
        for each in depths:
            each.limit = depth_limit
        return bool(depths)

    def inline(self, request: Request, *, from_page: bool = False) -> Offer | Drop:
        """Return the offer for an inline fetch: it must be valid, and is neither filtered nor deduplicated.

        ``from_page``: a callback asks for it, so that a page may have named it; no page opens files here.
        """
        if request.problem is not None:
            return Drop("invalid_url", request.problem)
        if from_page and request.normal_url.startswith(("file:", "data:")):
            return Drop("scheme", "file: and data: URLs come from start() only")
        return self._offered(request, "")

    def _offered(self, request: Request, found_on: str) -> Offer:
        url = request.normal_url
        # robots.txt is a matter of http(s) alone (RFC 9309 §2.3); file: and data: have no host either.
        asks_robots = url.startswith("http") and not request.meta.get("dont_obey_robotstxt")
        origin = request.origin if asks_robots else ""
        host = "" if url.startswith(("file:", "data:")) else self.slot_key(request)
        if not host.isascii():
            _check_text(host, url)
        return Offer(request, self.fingerprint(request), host, origin, not request.dont_filter, found_on)

    def _refer(self, request: Request, found_on: Response, policy: str) -> None:
        """Set Referer. Whatever the policy, it depends on the page and on two facts of the target alone, so
        that a page's links need it worked out at most four times."""
        if found_on is not self._page:
            self._page = found_on
            self._page_origin = origin_of(found_on.url) if is_http(found_on.url) else ""
            self._referers.clear()
        facts = (request.origin == self._page_origin, request.normal_url.startswith("https:"))
        field = self._referers.get(facts)
        if field is None:
            referer = referer_for(found_on.url, request.url, policy, found_on.headers.text("Referrer-Policy"))
            field = self._referers[facts] = [] if referer is None else [(b"Referer", referer.encode())]
        if field:
            request.headers.fill(field)


def _check_text(host: str, url: str) -> None:
    try:
        host.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"the slot of {url} must be text that UTF-8 can carry, not {host!r}") from None


_ANOTHER = 0x5B9C_41E7_8F26_A30D
"""Makes the fingerprint of the second request out of that of the first."""

_KEY = 2**48 - 1


class Marks(Protocol):
    """A set of numbers that may become large."""

    def add(self, number: int, /) -> bool:
        """Add a number."""

    def __contains__(self, number: int, /) -> bool: ...

    def __len__(self) -> int: ...


@dataclass(eq=False, repr=False, slots=True)
class StartPages:
    """The pages of start(), each with its callback, as numbers that the job keeps beside start()'s digests.

    A mark has 48 bits of the fingerprint and, above them, 16 of the callback's name, which are never 0:
    without them it says that start() asked for the page. Other numbers among the marks do no harm.
    ``default`` is the name of the callback of requests that name none.
    """

    _marks: Marks
    _default: str

    def __repr__(self) -> str:
        return f"<StartPages, {len(self._marks)} marks>"

    def restore(self, marks: Iterable[int]) -> None:
        """Take marks in, those that earlier runs of the job noted for example."""
        for mark in marks:
            self._marks.add(mark & _KEY)
            self._marks.add(mark)

    def taken(self, offer: Offer, unit: Unit) -> Offer:
        """Return ``another(offer)``; what a unit of start() asks for is noted, here and with the unit."""
        taken = self.another(offer)
        if unit.entry is None:
            mark = self._mark(offer)
            self.restore([mark])
            unit.start_digests.append(mark)
        return taken

    def another(self, offer: Offer) -> Offer:
        """Return the offer, as one of its own if start() asked for its page with another callback."""
        if (offer.fingerprint ^ _ANOTHER) & _KEY not in self._marks or self._mark(offer) in self._marks:
            return offer
        return offer._replace(fingerprint=offer.fingerprint ^ _ANOTHER)

    def _mark(self, offer: Offer) -> int:
        callback = offer.request.callback
        name = self._default if callback is None else name_of(callback)
        return (offer.fingerprint ^ _ANOTHER) & _KEY | (crc32(name.encode()) % 0xFFFF + 1) << 48


def name_of(callback: Callable[..., Any] | str) -> str:
    """Return by what one callback is told from another: its name, which a resume finds the same."""
    if isinstance(callback, str):
        return callback
    while (function := getattr(callback, "func", None)) is not None:  # a partial
        callback = function
    name = str(getattr(callback, "__name__", type(callback).__qualname__))
    return name if name.isidentifier() else str(getattr(callback, "__qualname__", name))  # "<lambda>": its place
