"""How is a site crawled by rules that say which links to follow?

The API is that of Scrapy's CrawlSpider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from crawler.errors import UsageError
from crawler.generic.readymade import ReadyMadeSpider, Results
from crawler.model.link import Link
from crawler.model.links import LinkExtractor
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.results import each, then

Method = str | Callable[..., Any]


class Rule:
    """Which links to follow, and what to do with the pages behind them.

    ``callback``, ``errback``, ``process_links(links)`` and ``process_request(request, response)`` are functions
    or names of the spider's methods. ``follow``: apply the rules to those pages, too; by default when there
    is no callback.
    """

    def __init__(
        self,
        link_extractor: LinkExtractor | None = None,
        callback: Method | None = None,
        cb_kwargs: dict[str, Any] | None = None,
        follow: bool | None = None,
        process_links: Method | None = None,
        process_request: Method | None = None,
        errback: Method | None = None,
    ) -> None:
        self.link_extractor = link_extractor or LinkExtractor()
        self.callback = callback
        self.cb_kwargs = cb_kwargs or {}
        self.follow = follow if follow is not None else not callback
        self.process_links = process_links
        self.process_request = process_request
        self.errback = errback

    def __repr__(self) -> str:
        return f"<Rule callback={self.callback!r} follow={self.follow}>"


class CrawlSpider(ReadyMadeSpider):
    """Follow links by ``rules``: of each page, a link belongs to the first rule that extracts it.

    Override ``parse_start_url`` for what the pages of ``start_urls`` yield. A ``parse`` of the spider's own is a
    method like any other, which a rule may name: the rules are applied all the same (as in Scrapy since 2.3).
    """

    rules: ClassVar[Sequence[Rule]] = ()

    def _parse(self, response: Response, **kwargs: Any) -> Results:
        return self.parse_with_rules(response, self.parse_start_url, kwargs)

    def parse_start_url(self, response: Response, **kwargs: Any) -> Any:
        """Return what a page of start() yields beside its links."""
        return ()

    def parse_with_rules(
        self, response: Response, callback: Method | None, cb_kwargs: dict[str, Any], follow: bool = True
    ) -> Results:
        """Return what ``callback`` gives for a page, then requests for its links if ``follow``."""

        def go_on(results: Iterable[Any]) -> Iterator[Any]:
            yield from each(self.process_results(response, results))
            if follow:
                yield from self._requests_to_follow(response)

        function = self._method(callback)
        return then(function(response, **cb_kwargs) if function is not None else None, go_on)

    def request_by_rule(self, url: str) -> Request | None:
        """Return the request that a link to this URL would be, by the first rule that takes it; None if none does."""
        numbers = (number for number, rule in enumerate(self.rules) if rule.link_extractor.matches(url))
        return next((self._by_rule(number, Link(url)) for number in numbers), None)

    def _by_rule(self, number: int, link: Link) -> Request:
        meta = {"rule": number, "link_text": link.text}
        return Request(link.url, self._callback, errback=self._errback, meta=meta)

    def _requests_to_follow(self, response: Response) -> Iterator[Request]:
        if not response.is_html:
            return
        seen: set[Link] = set()
        for number, rule in enumerate(self.rules):
            links: Iterable[Link] = [link for link in rule.link_extractor.extract_links(response) if link not in seen]
            process_links, process_request = self._method(rule.process_links), self._method(rule.process_request)
            for link in links if process_links is None else each(process_links(links)):
                seen.add(link)
                request = self._by_rule(number, link)
                wanted = request if process_request is None else process_request(request, response)
                if wanted is not None:
                    yield wanted

    def _callback(self, response: Response, **cb_kwargs: Any) -> Results:
        rule = self.rules[response.meta["rule"]]
        return self.parse_with_rules(response, rule.callback, {**rule.cb_kwargs, **cb_kwargs}, rule.follow)

    def _errback(self, failure: Any) -> Any:
        rule = self.rules[failure.value.request.meta["rule"]]
        errback = self._method(rule.errback)
        return errback(failure) if errback is not None else None

    def _compile_rules(self) -> None:
        """Do nothing: rules are looked up when they are used. Old spiders call this after setting ``rules``."""

    def _method(self, named: Method | None) -> Callable[..., Any] | None:
        if not isinstance(named, str):
            return named
        function = getattr(self, named, None)
        if not callable(function):
            raise UsageError(f"a rule of {type(self).__name__} names {named!r}, which is none of its methods")
        return function  # type: ignore[no-any-return]  # a method of the user's
