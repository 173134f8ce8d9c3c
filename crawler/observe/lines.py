"""Which events are worth a line in the log, at which level?

What fails is an ERROR with the user's frames and the URL; what is refused for a reason the user should
know is a WARNING; what goes as it should is INFO once a crawl, and DEBUG once a request.
"""

from __future__ import annotations

import logging

from crawler import events
from crawler.model.request import Request
from crawler.observe.frames import defined_at, describe, frames_of, shorten
from crawler.summary import output_name

_REMEMBERED = 1000
"""Most addresses that are not warned of again."""


def subscribe_lines(bus: events.Events, logger: logging.Logger | None = None, *, part: bool = False) -> None:
    """Log what happens, to the logger ``crawler`` unless another is given.

    ``part``: of one worker of a crawl; that the crawl begins and ends is said by whoever started it.
    """
    LogLines(logger or logging.getLogger("crawler"), logging.DEBUG if part else logging.INFO).subscribe(bus)


_ITEM_MARKS = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__", "model_fields")
"""What classes of items have, beside being dicts."""


class LogLines:
    """One method an event; ``of_crawl`` is the level of what is said once a crawl."""

    def __init__(self, logger: logging.Logger, of_crawl: int) -> None:
        self.logger = logger
        self._of_crawl = of_crawl
        self._detailed = False
        self._warned: set[str] = set()
        self._crawl: events.CrawlOpened | None = None

    def subscribe(self, bus: events.Events) -> None:
        """Log what happens from now on."""
        bus.subscribe(events.CrawlOpened, self.opened)
        bus.subscribe(events.CrawlClosing, self.closing)
        bus.subscribe(events.RequestRefused, self.refused)
        bus.subscribe(events.RequestEnded, self.ended)
        bus.subscribe(events.ItemDropped, self.item_dropped)
        bus.subscribe(events.ItemFailed, self.item_failed)
        bus.subscribe(events.SpiderFailed, self.spider_failed)
        bus.subscribe(events.HostPaced, self.host_paced)
        bus.subscribe(events.FeedClosed, self.feed_closed)
        bus.subscribe(events.Steered, self.steered)
        bus.subscribe(events.SettingChanged, lambda event: self._level_changed(bus, event))
        if self.logger.isEnabledFor(logging.DEBUG):
            self._subscribe_details(bus)

    def _subscribe_details(self, bus: events.Events) -> None:
        self._detailed = True
        bus.subscribe(events.FetchFailed, self.fetch_failed)
        bus.subscribe(events.RequestDelayed, self.delayed)
        bus.subscribe(events.ResponseReceived, self.received)

    def _level_changed(self, bus: events.Events, event: events.SettingChanged) -> None:
        if event.name == "LOG_LEVEL" and not self._detailed and self.logger.isEnabledFor(logging.DEBUG):
            self._subscribe_details(bus)

    def opened(self, event: events.CrawlOpened) -> None:
        """The crawl begins, or goes on."""
        self._crawl = event
        job = f", job {event.job}" if event.job else ""
        self.logger.log(
            self._of_crawl, "%s %s%s", "Resuming" if event.resumed else "Crawling with", event.spider.name, job
        )

    def closing(self, event: events.CrawlClosing) -> None:
        """Nothing new is taken."""
        self.logger.log(self._of_crawl, "Closing (%s)", event.reason)

    def refused(self, event: events.RequestRefused) -> None:
        """A link is not followed."""
        # An address that is no URL, or of a scheme that may not be opened, is a mistake somebody may want to mend.
        # Once for each: a "mailto:" of the footer is on every page.
        url = shorten(event.request.url)
        if event.reason == "duplicate" and (item := _item_in(event.request)):
            self._item_dropped_with(event.request, item)
        new = event.reason in ("invalid_url", "scheme") and url not in self._warned
        if new and len(self._warned) < _REMEMBERED:
            self._warned.add(url)
        level = logging.WARNING if new else logging.DEBUG
        if self.logger.isEnabledFor(level):
            where = f"found on {shorten(event.found_on)}" if event.found_on else "from start()"
            detail = f": {shorten(event.detail)}" if event.detail else ""
            self.logger.log(level, "Dropped %s (%s%s), %s", url, event.reason, detail, where)

    def _item_dropped_with(self, request: Request, where: str) -> None:
        """An item that travels with a request is lost with it; told once for each callback."""
        callback = getattr(request.callback, "__qualname__", "parse")
        if callback not in self._warned and len(self._warned) < _REMEMBERED:
            self._warned.add(callback)
            self.logger.warning(
                "Dropped %s (duplicate), and with it the item in %s that %s was to get; dont_filter=True fetches it "
                "again", shorten(request.url), where, callback,
            )  # fmt: skip

    def fetch_failed(self, event: events.FetchFailed) -> None:
        """One attempt came to nothing."""
        self.logger.debug("%s: %s", _shown(event.request), describe(event.error))

    def delayed(self, event: events.RequestDelayed) -> None:
        """A request goes back to its queue."""
        self.logger.debug("%s again in %.1f s: %s, %s", _shown(event.request), event.seconds, event.kind, event.reason)

    def received(self, event: events.ResponseReceived) -> None:
        """A response came."""
        self.logger.debug("%s %s", event.response.status, _shown(event.request))

    def ended(self, event: events.RequestEnded) -> None:
        """A request has its end."""
        if event.outcome == "failed" and event.reason != "HttpError":
            detail = f": {shorten(event.detail)}" if event.detail else ""
            self.logger.error("Gave up %s: %s%s", _shown(event.request), event.reason, detail)
        elif event.outcome == "dropped" and self.logger.isEnabledFor(logging.DEBUG):
            self.logger.debug("Dropped %s: %s", _shown(event.request), shorten(event.detail or event.reason))

    def item_dropped(self, event: events.ItemDropped) -> None:
        """A stage dropped an item."""
        level = getattr(logging, event.log_level)
        self.logger.log(level, "%s dropped an item%s: %s", event.stage, _of(event.response), shorten(event.reason))

    def item_failed(self, event: events.ItemFailed) -> None:
        """A stage lost an item."""
        trace = self.frames(event.error)
        self.logger.error(
            "%s lost an item%s: %s", event.stage, _of(event.response), describe(event.error), extra={"trace": trace}
        )

    def spider_failed(self, event: events.SpiderFailed) -> None:
        """A callback, an errback or start() raised."""
        where = f" on {shorten(event.url)}" if event.url else ""
        # What a callback returns, or that it cannot be called, is found out when none of its frames is there.
        trace = self.frames(event.error) or self._place_of(event.callback)
        self.logger.error("%s%s failed: %s", event.callback, where, describe(event.error), extra={"trace": trace})

    def _place_of(self, callback: str) -> list[str]:
        return [] if self._crawl is None else defined_at(getattr(self._crawl.spider, callback, None))

    def frames(self, error: BaseException) -> list[str]:
        """Return the frames of an error that the user wants to see."""
        return frames_of(error, ours=self.logger.isEnabledFor(logging.DEBUG))

    def host_paced(self, event: events.HostPaced) -> None:
        """The throttle changed what a host is asked."""
        self.logger.info(
            "Host %s: %d at once, %.1f s apart (%s)", event.host, event.concurrency, event.delay, event.reason
        )

    def steered(self, event: events.Steered) -> None:
        """Somebody acted on the crawl, or tried to."""
        level, said = (logging.WARNING, "Refused") if event.refused else (logging.INFO, "Done")
        self.logger.log(level, "%s for %s: %s", said, shorten(event.who), shorten(event.what))

    def feed_closed(self, event: events.FeedClosed) -> None:
        """An output is whole."""
        items = "item" if event.items == 1 else "items"
        spider = self._crawl.spider.name if self._crawl is not None else "%(name)s"
        self.logger.info("Wrote %d %s to %s", event.items, items, output_name(event.path, spider))


def _item_in(request: Request) -> str:
    """Return where a request has an item with it, as Scrapy's users hand one from callback to callback; or ""."""
    for name, value in request.cb_kwargs.items():
        if isinstance(value, dict) or any(hasattr(type(value), mark) for mark in _ITEM_MARKS):
            return f"cb_kwargs[{name!r}]"
    return "meta['item']" if "item" in request.meta else ""


def _of(response: object) -> str:
    url = getattr(response, "url", None)
    return f" of {shorten(url)}" if url else ""


def _shown(request: object) -> str:
    return shorten(str(request))
