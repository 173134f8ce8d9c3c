"""May this request join the crawl?

The order is: valid, then the filters, then seen. What a filter refuses is not marked as seen. New or
duplicate is the store's answer, so this room ends with an Offer to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crawler.errors import InvalidRequest
from crawler.frontier.store import Offer
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import is_http, origin_of
from crawler.policy.scope import RequestFilter, referer_for
from crawler.policy.verdict import Drop


class Acceptance:
    """The way from a request that a spider yielded to an Offer.

    ``filters`` judge each request, ``redirect_filters`` the target of a redirect; both are called with
    (request, response it was found on or None). ``referrer_policy`` None sends no Referer.
    """

    def __init__(
        self,
        filters: Sequence[RequestFilter],
        redirect_filters: Sequence[RequestFilter],
        *,
        fingerprint: Callable[[Request], int],
        slot_key: Callable[[Request], str],
        referrer_policy: str | None,
    ) -> None:
        self._filters = tuple(filters)
        self._redirect_filters = tuple(redirect_filters)
        self.fingerprint = fingerprint
        self.slot_key = slot_key
        self._referrer_policy = referrer_policy
        self._page: Response | None = None
        self._page_origin = ""
        self._referers: dict[tuple[bool, bool], list[tuple[bytes, bytes]]] = {}

    def offer(self, request: Request, found_on: Response | None) -> Offer | Drop:
        """Return the offer, or why the request is refused."""
        if request.problem is not None:
            return Drop("invalid_url", request.problem)
        for judge in self._filters:
            verdict = judge(request, found_on)
            if isinstance(verdict, Drop):
                return verdict
            request = verdict
        if found_on is not None and self._referrer_policy is not None:
            self._refer(request, found_on, self._referrer_policy)
        return self._offered(request, found_on.url if found_on is not None else "")

    def inline(self, request: Request, *, from_page: bool = False) -> Offer | Drop:
        """Return the offer for an inline fetch: it must be valid, and is neither filtered nor deduplicated.

        ``from_page``: a callback asks for it, so that a page may have named it; no page opens files here.
        """
        if request.problem is not None:
            return Drop("invalid_url", request.problem)
        if from_page and request.url.startswith(("file:", "data:")):
            return Drop("scheme", "file: and data: URLs come from start() only")
        return self._offered(request, "")

    def redirected(self, request: Request) -> Offer | Drop:
        """Return the offer for a redirect's target, or why it is refused."""
        if request.problem is not None:
            return Drop("invalid_url", request.problem)
        for judge in self._redirect_filters:
            verdict = judge(request, None)
            if isinstance(verdict, Drop):
                return verdict
            request = verdict
        return self._offered(request, "")

    def _offered(self, request: Request, found_on: str) -> Offer:
        url = request.url
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
        facts = (request.origin == self._page_origin, request.url.startswith("https:"))
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
