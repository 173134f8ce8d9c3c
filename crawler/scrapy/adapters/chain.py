"""How do a project's downloader middlewares stand round a download?

As Scrapy has them (docs.scrapy.org, "Downloader Middleware"): process_request by rising numbers, the download, then
process_response, or process_exception and what it gives, by falling ones. A request that comes out is asked instead.

Where none of the project's own does anything, nothing is in the path: the crawler's policies do what Scrapy's do. Else
all of them are one middleware of the crawler's, and thin classes over the policies stand where Scrapy's stand.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from twisted.internet.defer import CancelledError

from crawler.errors import CloseSpider, FetchCancelled, FetchError, LocalFailure, NotBegun
from crawler.events import FetchFailed, ResponseReceived
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import Rules
from crawler.policy.verdict import Instead
from crawler.scrapy.adapters import components, handlers
from crawler.scrapy.adapters.calling import by_name
from crawler.scrapy.adapters.errors import as_scrapy_error, scrapy_name
from crawler.scrapy.adapters.idle_code import does_nothing
from crawler.scrapy.adapters.responses import as_scrapy
from crawler.scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from crawler.scrapy.downloadermiddlewares.redirect import spelt
from crawler.scrapy.exceptions import _InvalidOutput
from crawler.scrapy.extensions.httpcache import policy_of
from crawler.scrapy.http import as_scrapy_request
from crawler.scrapy.names.mapping import SWITCHES

logger = logging.getLogger(__name__)

OFF: Final[dict[str, Any]] = {"DEFAULT_REQUEST_HEADERS": {"User-Agent": None}, "HTTP_AUTH": {}}
"""The crawler's own settings of what thin classes do where the chain is in the path."""

_SETTING = "DOWNLOADER_MIDDLEWARES"
_SWITCHED = (
    "CookiesMiddleware", "HttpCacheMiddleware", "HttpCompressionMiddleware", "HttpProxyMiddleware",
    "MetaRefreshMiddleware", "RedirectMiddleware", "RetryMiddleware", "RobotsTxtMiddleware",
)  # fmt: skip
_PARTS = "crawler.scrapy.downloadermiddlewares."
# What is done before a request is queued, or counted by the engine; what is derived from them is called.
_ELSEWHERE = frozenset(
    f"{_PARTS}{path}" for path in ("offsite.OffsiteMiddleware", "stats.DownloaderStats", "cookies.CookiesMiddleware")
)
# Without these the crawler would do what the project does not want.
_WANTED = frozenset(
    {
        f"{_PARTS}httpauth.HttpAuthMiddleware",
        f"{_PARTS}defaultheaders.DefaultHeadersMiddleware",
        f"{_PARTS}useragent.UserAgentMiddleware",
    }
)
_METHODS = ("process_request", "process_response", "process_exception")
_FOLLOWED = 5
"""So many times robots.txt is asked elsewhere because a middleware wants it, as redirects of it are followed."""

Method = Callable[..., Any]


def in_path(crawler: Any) -> bool:
    """Tell whether anything of the project's stands round its downloads. Raises SettingError."""
    settings, spider = crawler.settings, crawler.spider
    found = _classes(settings)
    names = {_name(component) for component in found}
    return (
        any(_own(component) and any(True for _ in _acting(component)) for component in found)
        or not names >= _WANTED
        or settings.getpriority("RETRY_EXCEPTIONS") != 0
        or handlers.any_own(settings)
        or bool(settings.get("HTTPAUTH_USER") or settings.get("HTTPAUTH_PASS") or getattr(spider, "http_user", ""))
    )


def scoped(crawler: Any) -> bool:
    """Tell whether the crawler itself is to keep to the spider's ``allowed_domains``."""
    return f"{_PARTS}offsite.OffsiteMiddleware" in map(_name, _classes(crawler.settings))


def laid_over(crawler: Any) -> dict[str, Any]:
    """Return what is laid over the crawler's own settings, by which of the middlewares there are."""
    every = (base for component in _classes(crawler.settings) for base in getattr(component, "__mro__", ()))
    names = {base.__name__ for base in every if not _own(base)}
    over: dict[str, Any] = {
        setting: value for name in _SWITCHED if name not in names for setting, value in SWITCHES[name].items()
    }
    over["COOKIES_HEADER"] = "replaced"
    if any(_own(each) and CookiesMiddleware in getattr(each, "__mro__", ()) for each in _classes(crawler.settings)):
        over["COOKIES_ENABLED"] = False  # it keeps and sends them itself
    over["HTTPCACHE_POLICY"] = policy_of(crawler.settings)
    over["SCHEMES"] = handlers.schemes(crawler.settings)
    return over | (OFF if in_path(crawler) else {})


def rules_within(rules: Rules, crawler: Any) -> Rules:
    """Return the rules of a crawl: where the chain is in the path its redirects and tries are the thin classes'."""
    if in_path(crawler):
        redirect = replace(rules.redirect, redirect_enabled=False, metarefresh_enabled=False)
        return replace(rules, redirect=redirect, retry=replace(rules.retry, retry_enabled=False))
    policy = rules.redirect.referrer_policy if crawler.settings.getbool("REFERER_ENABLED") else "no-referrer"
    redirect = replace(rules.redirect, refers_to_redirect=True, referrer_policy=policy, join=spelt)
    return replace(rules, redirect=redirect)


def make(crawler: Any) -> list[Chain]:
    """Make all middlewares, as each may connect to signals; return what is to stand in the path, if anything.

    Raises SettingError, and what the project's code raises.
    """
    made = components.made(crawler, _SETTING)
    if not in_path(crawler):
        return []
    names = [type(each).__qualname__ for each in made if _own(type(each))]
    logger.info("Downloader middlewares of the project's: %s", ", ".join(names) or "none")
    return [Chain(crawler, [each for each in made if _name(type(each)) not in _ELSEWHERE])]


@dataclass(eq=False, slots=True)
class _Attempt:
    """What one attempt has come to so far. ``asked``: the downloader was; ``came`` is what it gave."""

    request: Any
    asked: bool = False
    came: Response | FetchError | None = None


class Chain:
    """A middleware of the crawler's that is all of a project's."""

    sees_cached = True

    def __init__(self, crawler: Any, middlewares: list[Any]) -> None:
        self._crawler = crawler
        self._requests, responses, exceptions = (
            [by_name(method, crawler.spider) for each in middlewares for method in _acting(each, name)]
            for name in _METHODS
        )
        self._responses, self._exceptions = responses[::-1], exceptions[::-1]
        self._repeated: set[Request] = set()

    async def __call__(
        self, request: Request, fetch: Callable[[Request], Awaitable[Response]]
    ) -> Response | Request | Instead:
        """See crawler.download.middleware.chain.Middleware."""
        for _ in range(_FOLLOWED):
            attempt = _Attempt(as_scrapy_request(request))
            try:
                result = await self._answered(attempt, fetch)
            except Exception as error:
                self._tell(attempt, error)
                raise
            self._tell(attempt, result)
            if isinstance(result, Response):
                if result.request is None:
                    result.request = attempt.request
                return result
            if attempt.came is not None or "robots" not in request.meta:
                return Instead(result, attempt.came)
            request = result.replace(meta={**result.meta, "robots": True})
        raise FetchError("robots.txt is asked elsewhere again and again by a downloader middleware", sent=False)

    async def _answered(self, attempt: _Attempt, fetch: Callable[[Request], Awaitable[Response]]) -> Any:
        try:
            result = await self._requested(attempt, fetch)
        except Exception as error:
            if self._is_the_engines(error, attempt.request):
                raise
            result = await self._rescued(attempt, as_scrapy_error(error))
        for method in self._responses:
            if not isinstance(result, Response):
                break
            result = method(request=attempt.request, response=result)
            if not isinstance(result, Response):
                result = await _given(result)
                _check(method, result, Response, Request)
        return result

    async def _requested(self, attempt: _Attempt, fetch: Callable[[Request], Awaitable[Response]]) -> Any:
        request = attempt.request
        for method in self._requests:
            result = method(request=request)
            if result is not None and (result := await _given(result)) is not None:
                _check(method, result, Response, Request, None)
                return result
        attempt.asked = True
        attempt.came = response = as_scrapy(await fetch(request))
        self._repeated.discard(request)
        return response

    async def _rescued(self, attempt: _Attempt, error: Exception) -> Any:
        if isinstance(error, FetchError):
            attempt.came = error
        else:  # the engine counts the others
            self._crawler.stats.inc_value("downloader/exception_count")
            self._crawler.stats.inc_value(f"downloader/exception_type_count/{scrapy_name(error)}")
        for method in self._exceptions:
            result = await _given(method(request=attempt.request, exception=error))
            if result is not None:
                _check(method, result, Response, Request, None)
                return result
        raise error

    def _is_the_engines(self, error: Exception, request: Request) -> bool:
        """Tell whether an error says nothing of the request: the attempt is over, or will be made again by itself."""
        if isinstance(error, FetchError) and error.may_repeat and request not in self._repeated:
            self._repeated.add(request)  # the second time it is an error as any other
            return True
        self._repeated.discard(request)
        return isinstance(error, FetchCancelled | NotBegun | LocalFailure | CloseSpider | CancelledError)

    def _tell(self, attempt: _Attempt, result: Any) -> None:
        """Tell what came where a middleware made something else of it, and put right what is counted of the rest."""
        came, request, stats = attempt.came, attempt.request, self._crawler.stats
        if not attempt.asked:  # the engine has counted it when it was sent to the middlewares
            stats.inc_value("downloader/request_count", -1)
            stats.inc_value(f"downloader/request_method_count/{request.method}", -1)
        if isinstance(came, FetchError) and isinstance(result, Response):
            self._crawler.events.publish(FetchFailed(request, came))
        elif isinstance(came, Response) and isinstance(result, Exception):
            self._crawler.events.publish(ResponseReceived(came, request))
            stats.inc_value("response_received_count", -1)  # it was no page


async def _given(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def _check(method: Method, result: Any, *kinds: type | None) -> None:
    """Raise _InvalidOutput for what a method may not return."""
    if any(result is None if kind is None else isinstance(result, kind) for kind in kinds):
        return
    name = getattr(getattr(method, "func", method), "__qualname__", repr(method))
    may = " or ".join("None" if kind is None else kind.__name__ for kind in kinds)
    raise _InvalidOutput(f"{name} must return {may}, but returned {type(result).__name__}: {result!r:.80}")


def _acting(component: Any, *names: str) -> Iterator[Method]:
    """Yield the methods of those names that do anything but pass on what they are given."""
    for name in names or _METHODS:
        method = getattr(component, name, None)
        if method is not None and not does_nothing(method):
            yield method


def _classes(settings: Any) -> list[Any]:
    return [component for _, component in components.order(settings, _SETTING)]


def _own(component: Any) -> bool:
    return not getattr(component, "__module__", "").startswith(_PARTS)


def _name(component: Any) -> str:
    return f"{component.__module__}.{getattr(component, '__qualname__', component)}"
