"""How does a crawl go on that has nothing more to do, while somebody hears the signal spider_idle?

What yields the first requests does not end before: it waits until nothing is under way, and asks the receivers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from crawler.engine.frames import user_traceback
from crawler.errors import RequestDropped
from crawler.events import SpiderFailed
from crawler.scrapy import signals
from crawler.scrapy.exceptions import CloseSpider, DontCloseSpider

HEARTBEAT_SECONDS = 5.0
"""So long after DontCloseSpider the receivers are asked again, if nothing came of it (Scrapy's engine does)."""


async def until_idle(crawler: Any, results: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield the results; end when no receiver of spider_idle wants the crawl to go on."""
    failed = False
    try:
        async for result in results:
            yield result
    except (CloseSpider, CancelledError):
        raise
    except Exception as error:
        if isinstance(error, RequestDropped) and error.reason == "shutdown":
            raise  # the crawl is being stopped: it is no error of the spider's
        failed = True
        crawler.events.publish(SpiderFailed(error, "start", None, user_traceback(error)))
    while signals.spider_idle in crawler.telling.heard and crawler.telling.is_heard(signals.spider_idle):
        await crawler.idle()
        raised = _ask(crawler)
        if not any(isinstance(answer, DontCloseSpider) for answer in raised):
            if not crawler.running.is_idle():
                continue
            for answer in raised:
                if isinstance(answer, CloseSpider):
                    crawler.stop(answer.reason)
            break
        if crawler.running.is_idle():
            await asyncio.sleep(HEARTBEAT_SECONDS)
    if failed:
        await crawler.idle()
        crawler.stop("start_error")


def _ask(crawler: Any) -> list[BaseException | None]:
    """Tell that the spider is idle; return what the receivers raise for an answer."""
    results = crawler.signals.send_catch_log(
        signals.spider_idle, spider=crawler.spider, dont_log=(DontCloseSpider, CloseSpider)
    )
    return [result.value for _, result in results if isinstance(result, Failure)]
