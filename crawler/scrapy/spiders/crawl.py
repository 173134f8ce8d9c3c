"""How is a site crawled by rules, where a project was written for Scrapy?

Its CrawlSpider over ours: rules are read once, when the spider is made; a method that a rule names and the spider has
not is no error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from copy import copy
from typing import Any, Self

from crawler.generic import rules
from crawler.model.link import Link
from crawler.results import each, every, then
from crawler.scrapy.http.request import Request
from crawler.scrapy.http.response.html import HtmlResponse
from crawler.scrapy.linkextractors import LinkExtractor
from crawler.scrapy.spiders.plain import Spider

_every_link = LinkExtractor()


class Rule(rules.Rule):
    """Which links to follow, and what to do with the pages behind them (Scrapy's Rule)."""

    link_extractor: Any

    def __init__(self, link_extractor: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)
        self.link_extractor = link_extractor or _every_link
        self.process_links: Any = self.process_links or (lambda links: links)
        self.process_request: Any = self.process_request or (lambda request, response: request)

    def _compile(self, spider: Any) -> None:
        for name in ("callback", "errback", "process_links", "process_request"):
            function = getattr(self, name)
            if not callable(function):
                setattr(self, name, getattr(spider, function, None) if isinstance(function, str) else None)


class CrawlSpider(Spider, rules.CrawlSpider):
    """Follow links by ``rules``: of each page, a link belongs to the first rule that extracts it."""

    _rules: list[Any]
    _follow_links = True

    def __init__(self, *a: Any, **kw: Any) -> None:
        super().__init__(*a, **kw)
        self._compile_rules()

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Self:
        """Make the spider of a crawl; it follows nothing where CRAWLSPIDER_FOLLOW_LINKS is False."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider._follow_links = crawler.settings.getbool("CRAWLSPIDER_FOLLOW_LINKS", True)
        return spider

    def _compile_rules(self) -> None:
        self._rules = [copy(rule) for rule in self.rules]
        for rule in self._rules:
            rule._compile(self)

    parse = Spider.parse

    def _parse(self, response: Any, **kwargs: Any) -> Any:
        return self._ruled(response, self.parse_start_url, kwargs, True)

    def _ruled(self, response: Any, callback: Any, cb_kwargs: dict[str, Any], follow: bool) -> Any:
        """Read a page; where nobody has changed how, without the detour over a coroutine."""
        changed = type(self).parse_with_rules is not CrawlSpider.parse_with_rules
        read = self.parse_with_rules if changed else self._read
        return read(response=response, callback=callback, cb_kwargs=cb_kwargs, follow=follow)

    def _read(self, response: Any, callback: Any, cb_kwargs: dict[str, Any], follow: bool = True) -> Any:
        def go_on(results: Iterable[Any]) -> Iterator[Any]:
            yield from each(self.process_results(response, results))
            if follow and self._follow_links:
                yield from (request for request in self._requests_to_follow(response) if request is not None)

        return then((callback(response, **cb_kwargs) or ()) if callback else (), go_on)

    async def parse_with_rules(
        self, response: Any, callback: Any, cb_kwargs: dict[str, Any], follow: bool = True
    ) -> AsyncIterator[Any]:
        """Yield what ``callback`` gives for a page, then requests for its links if ``follow``."""
        async for result in every(self._read(response, callback, cb_kwargs, follow)):
            yield result

    def _parse_response(self, response: Any, callback: Any, cb_kwargs: dict[str, Any], follow: bool = True) -> Any:
        return self.parse_with_rules(response, callback, cb_kwargs, follow)

    def _build_request(self, rule_index: int, link: Link) -> Request:
        meta = {"rule": rule_index, "link_text": link.text}
        return Request(link.url, callback=self._callback, errback=self._errback, meta=meta)

    def _by_rule(self, number: int, link: Link) -> Request:
        return self._build_request(number, link)

    def _requests_to_follow(self, response: Any) -> Iterator[Any]:
        if not isinstance(response, HtmlResponse):
            return
        seen: set[Link] = set()
        for number, rule in enumerate(self._rules):
            links = [link for link in rule.link_extractor.extract_links(response) if link not in seen]
            for link in rule.process_links(links):
                seen.add(link)
                yield rule.process_request(self._build_request(number, link), response)

    def _callback(self, response: Any, **cb_kwargs: Any) -> Any:
        rule = self._rules[response.meta["rule"]]
        return self._ruled(response, rule.callback, {**rule.cb_kwargs, **cb_kwargs}, rule.follow)

    def _errback(self, failure: Any) -> Any:
        return self._handle_failure(failure, self._rules[failure.request.meta["rule"]].errback)

    def _handle_failure(self, failure: Any, errback: Callable[..., Any] | None) -> Iterator[Any]:
        if errback:
            yield from each(errback(failure) or ())
