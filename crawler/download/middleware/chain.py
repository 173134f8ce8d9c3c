"""How are middlewares put around the downloader?

A middleware wraps one attempt: it sees every retry and every hop of a redirect. The chain is compiled
once for a crawl; a fetch then costs one Deferred and a few nested coroutines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail

from crawler.download.seam import Exchange, Head, OnHead
from crawler.model.request import Request
from crawler.model.response import Response

Fetch = Callable[[Request], Awaitable[Response]]
Drive = Callable[[Coroutine[Any, Any, Response]], "Deferred[Response]"]


class Middleware(Protocol):
    """Something around the downloader: changes the request, the response, or answers in its place.

    The first call of ``fetch`` goes on inwards with the request it is given. A second call sends another
    request, which takes its turn in the frontier like an inline fetch and comes through all middlewares.
    A FetchError of ``fetch`` may be caught; raising IgnoreRequest drops the request.

    A middleware that has a method ``on_head(request, head) -> bool`` is shown each head as it arrives,
    with the request as it was sent, before the body is read; False stops the reading there.

    One that has a plain method ``before(request) -> bool`` is given the request there first, and may
    change what is inside it. True means that this was all: the exchange goes on without the coroutine,
    which costs more than most middlewares do.
    """

    async def __call__(self, request: Request, fetch: Fetch) -> Response: ...


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
        fetch = _answering_for(on_head, downloader_fetch)
    for middleware in reversed(middlewares):
        fetch = _around(middleware, fetch, again)
    if not middlewares:
        return fetch  # type: ignore[return-value]  # the downloader's own Deferred

    def fetch_through(request: Request) -> Deferred[Response]:
        try:
            fetching = fetch(request)
        except BaseException:  # of a ``before``, be it sys.exit()
            return fail()
        return fetching if isinstance(fetching, Deferred) else drive(fetching)  # type: ignore[arg-type]  # a coroutine

    return fetch_through


def _around(middleware: Middleware, inner: Fetch, again: Fetch) -> Fetch:
    def call(request: Request) -> Awaitable[Response]:
        went = False

        def fetch(next_request: Request) -> Awaitable[Response]:
            nonlocal went
            if went:
                return again(next_request)
            went = True
            return inner(next_request)

        return middleware(request, fetch)

    before: Callable[[Request], bool] | None = getattr(middleware, "before", None)
    if before is None:
        return call
    return lambda request: inner(request) if before(request) else call(request)


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
