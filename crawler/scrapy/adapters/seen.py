"""Which requests does a Scrapy project's crawl take for the same?

What has ``dont_filter`` is not marked as seen. By the project's own DUPEFILTER_CLASS or REQUEST_FINGERPRINTER_CLASS, if
it has one: a dupefilter is asked when a request is accepted, a fingerprint is what the job remembers.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

from crawler.errors import SettingError
from crawler.events import RequestRefused
from crawler.model.request import Request
from crawler.policy.verdict import Drop
from crawler.scrapy.adapters.components import build, loaded
from crawler.scrapy.dupefilters import RFPDupeFilter
from crawler.scrapy.http.request import as_scrapy_request
from crawler.scrapy.utils.request import RequestFingerprinter

UNMARKED: Final = 0x6A09_E667_F3BC_C908
"""Makes of a fingerprint that of a request which marks nothing as seen."""


class Seen:
    """What tells duplicates in one crawl; ``own``: the project has a dupefilter. Raises SettingError for none."""

    def __init__(self, crawler: Any, native: Callable[[Request], int]) -> None:
        self._crawler = crawler
        kind = loaded(crawler.settings["DUPEFILTER_CLASS"], "DUPEFILTER_CLASS")
        self.own = kind is not RFPDupeFilter
        self._filter = build(kind, crawler)
        if not callable(getattr(self._filter, "request_seen", None)):
            raise SettingError(f"DUPEFILTER_CLASS: {kind!r} has no request_seen(request)")
        by_class = self.own or type(crawler.request_fingerprinter) is not RequestFingerprinter
        self._number = self._by_class if by_class else native
        self.open, self.close = (getattr(self._filter, name, lambda *_: None) for name in ("open", "close"))
        if not self.own:
            crawler.events.subscribe(RequestRefused, self._refused)

    def fingerprint(self, request: Request) -> int:
        """Return the number under which the job remembers a request."""
        number = self._number(request)
        return number ^ UNMARKED if request.dont_filter else number

    def _by_class(self, request: Request) -> int:
        asked = as_scrapy_request(request)
        if isinstance(self._filter, RFPDupeFilter) and self.own:
            known = self._filter.request_fingerprint(asked).encode()
        else:
            known = self._crawler.request_fingerprinter.fingerprint(asked)
        return int.from_bytes(blake2b(known, digest_size=8).digest(), "big")

    def __call__(self, request: Request, found_on: Any) -> Request | Drop:
        """Ask the project's own dupefilter, as a filter of requests (crawler.policy.scope.RequestFilter).

        What it takes for new without asking Scrapy's class is not looked for in the job.
        """
        if not self.own or request.dont_filter:
            return request
        asked = as_scrapy_request(request)
        self._filter.asked = False
        if self._filter.request_seen(asked):
            if callable(log := getattr(self._filter, "log", None)):
                log(asked, self._crawler.spider)
            return Drop("duplicate", "")
        return asked if self._filter.asked else asked.replace(dont_filter=True)

    def _refused(self, event: RequestRefused) -> None:
        if event.reason == "duplicate" and (self._filter.logdupes or self._filter.debug):
            self._filter.log(event.request, self._crawler.spider)


def queue_order(settings: Any) -> str:
    """Return QUEUE_ORDER as Scrapy's queues have it: the disk's with JOBDIR, else memory's; newest first by default."""
    queue = settings["SCHEDULER_DISK_QUEUE" if settings["JOBDIR"] else "SCHEDULER_MEMORY_QUEUE"]
    return "oldest" if "fifo" in str(getattr(queue, "__name__", queue)).lower() else "newest"


class NoMarks:
    """In place of the marks by which another callback than start()'s gets a page of start() once more."""

    def __contains__(self, number: int) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def add(self, number: int) -> bool:
        """Forget it."""
        return True
