"""What does a request pass on its way out: the middlewares, then the downloader of its scheme?

A middleware wraps one attempt: it sees every retry and every hop of a redirect. The chain is compiled
once for a crawl; a fetch then costs one Deferred and a few nested coroutines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, fail

from crawler.download.seam import Downloader, Exchange, Head, OnHead
from crawler.errors import UnsupportedScheme
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Instead

Fetch = Callable[[Request], Awaitable[Response]]
Drive = Callable[[Coroutine[Any, Any, Response]], "Deferred[Response]"]
Link = tuple[Callable[[Request], bool] | None, Fetch]


class Middleware(Protocol):
    """Something around the downloader: changes the request, the response, or answers in its place.

    The first call of ``fetch`` goes on inwards with the request it is given. A second call sends another
    request, which takes its turn in the frontier like an inline fetch and comes through all middlewares.
    A FetchError of ``fetch`` may be caught; raising IgnoreRequest drops the request. A returned Request is asked
    instead: the accepted request goes on as that one, as it does with a redirect.

    A middleware that has a method ``on_head(request, head) -> bool`` is shown each head as it arrives,
    with the request as it was sent, before the body is read; False stops the reading there.

    Where one has ``sees_cached = True``, fresh pages of the cache come through the middlewares, too, when it is their
    turn; else they come past them, and at once.

    One that has a plain method ``before(request) -> bool`` is given the request there first, and may
    change what is inside it. True means that this was all: the exchange goes on without the coroutine,
    which costs more than most middlewares do.
    """

    async def __call__(self, request: Request, fetch: Fetch) -> Response | Request | Instead: ...


def compile_chain(
    middlewares: Sequence[Middleware],
    downloader_fetch: Callable[[Request, Exchange | None], Awaitable[Response]],
    again: Fetch,
    *,
    drive: Drive = Deferred.fromCoroutine,
) -> Callable[[Request], Deferred[Response]]:
    """Return the fetch function with the middlewares around it, the first of them outermost.

    ``again`` takes the second calls. ``drive`` runs the outermost coroutine: users' middlewares may await
    asyncio's awaitables where it makes an asyncio Task of it.
    """
    seeing = [each for each in middlewares if getattr(each, "on_head", None) is not None]
    on_head = _on_heads([each.on_head for each in seeing])  # type: ignore[attr-defined]  # it has one

    if on_head is None:

        def innermost(request: Request) -> Awaitable[Response]:
            return downloader_fetch(request, None)
    else:

        def innermost(request: Request) -> Awaitable[Response]:
            return downloader_fetch(request, Exchange(on_head=on_head))

    fetch: Fetch = innermost
    if on_head is not None and any(not type(each).__module__.startswith("crawler.") for each in seeing):
        fetch = last = _answering_for(on_head, downloader_fetch)
    else:
        last = innermost
    links: list[Link] = []
    for middleware in reversed(middlewares):
        links = [(getattr(middleware, "before", None), _around(middleware, fetch, again)), *links]
        fetch = _along(links, last)
    if not middlewares:
        return fetch  # type: ignore[return-value]  # the downloader's own Deferred

    def fetch_through(request: Request) -> Deferred[Response]:
        try:
            fetching = fetch(request)
        except BaseException:  # of a ``before``, be it sys.exit()
            return fail()
        return fetching if isinstance(fetching, Deferred) else drive(fetching)  # type: ignore[arg-type]  # a coroutine

    return fetch_through


def as_answer_to(request: Request, sent: Request, response: Response) -> Response:
    """Return the response of what a middleware sent in a request's place as that of the request."""
    if response.request is sent:
        response.request = request
    return response


def _around(middleware: Middleware, inner: Fetch, again: Fetch) -> Fetch:
    def call(request: Request) -> Awaitable[Response]:
        went = False

        def fetch(next_request: Request) -> Awaitable[Response]:
            nonlocal went
            if went:
                return again(next_request)
            went = True
            return inner(next_request)

        return middleware(request, fetch)  # type: ignore[return-value]  # what is asked instead goes outwards as it is

    return call


def _along(links: list[Link], last: Fetch) -> Fetch:
    """Return the fetch past each link that ``before`` was all of, into the first that it is not, or else ``last``."""

    def fetch(request: Request) -> Awaitable[Response]:
        for before, call in links:
            if before is None or not before(request):
                return call(request)
        return last(request)

    return fetch


def _answering_for(on_head: OnHead, downloader_fetch: Callable[..., Awaitable[Response]]) -> Fetch:
    """Return the downloader's fetch, failing with what an ``on_head`` of the user's raises.

    That is called from the transport, where an exception would be the end of a connection, which other exchanges
    may share, and tell nobody.
    """

    async def fetch(request: Request) -> Response:
        raised: list[BaseException] = []

        def seen(request: Request, head: Head) -> bool:
            try:
                return on_head(request, head)
            except BaseException as error:
                raised.append(error)
                return False

        try:
            return await downloader_fetch(request, Exchange(on_head=seen))
        finally:
            if raised:
                raise raised[0]

    return fetch


def _on_heads(hooks: list[OnHead]) -> OnHead | None:
    if len(hooks) < 2:
        return hooks[0] if hooks else None

    def on_head(request: Request, head: Head) -> bool:
        go_on = True
        raised: BaseException | None = None
        for hook in hooks:  # each is shown it, also after one has said stop
            try:
                go_on = hook(request, head) is not False and go_on
            except BaseException as error:
                raised = raised or error
        if raised is not None:
            raise raised
        return go_on

    return on_head


class SchemeRouter:
    """A Downloader that hands each request to the one of its URL's scheme."""

    def __init__(self, downloaders: Mapping[str, Downloader | None]) -> None:
        self._by_scheme = {scheme: each for scheme, each in downloaders.items() if each is not None}

    def __repr__(self) -> str:
        return f"<SchemeRouter {', '.join(sorted(self._by_scheme))}>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader; fails with UnsupportedScheme."""
        scheme = request.normal_url.partition(":")[0].lower()
        downloader = self._by_scheme.get(scheme)
        if downloader is not None:
            return downloader.fetch(request, exchange)
        known = ", ".join(sorted(self._by_scheme))
        message = f"nothing fetches {scheme!r} URLs here (SCHEMES); known are {known}"
        return fail(UnsupportedScheme(message, request=request, sent=False))

    def close(self) -> Deferred[None]:
        """Close all of them."""
        unique = {id(each): each for each in self._by_scheme.values()}.values()
        closing = DeferredList([each.close() for each in unique], fireOnOneErrback=True, consumeErrors=True)
        return closing.addCallback(lambda _: None)
