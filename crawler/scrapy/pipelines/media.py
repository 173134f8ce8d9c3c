"""How does a pipeline fetch what an item names, each once, before the item goes on?

The request is asked for by the engine's ``download_async``, within the politeness of the crawl.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn, Self

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from crawler.scrapy.http.request import NO_CALLBACK
from crawler.scrapy.utils.datatypes import SequenceExclude
from crawler.scrapy.utils.defer import deferred_from_coro, ensure_awaitable, maybe_deferred_to_future
from crawler.scrapy.utils.misc import arg_to_iter

logger = logging.getLogger(__name__)
FileInfo = dict[str, Any]
FileInfoOrError = tuple[bool, Any]


class FileException(Exception):
    """A file could not be had."""


class _MediaRequestFiltered(FileException):
    """A filter has refused the request: that is as it should be, and no error."""


class MediaPipeline:
    """The base of pipelines that fetch; a class of one's own has the methods that raise NotImplementedError here."""

    LOG_FAILED_RESULTS: ClassVar[bool] = True

    class SpiderInfo:
        """What has been fetched, and is being, by the requests' fingerprints."""

        def __init__(self, spider: Any) -> None:
            self.spider = spider
            self.downloading: set[bytes] = set()
            self.downloaded: dict[bytes, Any] = {}
            self.waiting: defaultdict[bytes, list[Deferred[Any]]] = defaultdict(list)

    def __init__(self, download_func: None = None, *, crawler: Any) -> None:
        self.crawler = crawler
        self._fingerprinter = crawler.request_fingerprinter
        setting = self._key_for_pipe("MEDIA_ALLOW_REDIRECTS", "MediaPipeline", crawler.settings)
        self.allow_redirects: bool = crawler.settings.getbool(setting, False)
        self._handle_statuses(self.allow_redirects)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make one."""
        return cls(crawler=crawler)

    def _handle_statuses(self, allow_redirects: bool) -> None:
        self.handle_httpstatus_list = SequenceExclude(range(300, 400)) if allow_redirects else None

    def _key_for_pipe(self, key: str, base_class_name: str | None = None, settings: Any = None) -> str:
        """Return a setting's name: that with the name of a class of one's own before it, if it is set."""
        name = type(self).__name__
        own = f"{name.upper()}_{key}"
        no_own = not base_class_name or name == base_class_name or (settings and not settings.get(own))
        return key if no_own else own

    def open_spider(self, spider: Any = None) -> None:
        """Begin."""
        self.spiderinfo = self.SpiderInfo(self.crawler.spider)

    async def process_item(self, item: Any, spider: Any = None) -> Any:
        """Fetch what the item names; return what item_completed() makes of it."""
        requests = arg_to_iter(self.get_media_requests(item, self.spiderinfo))
        waiting = [deferred_from_coro(self._process_request(each, self.spiderinfo, item)) for each in requests]
        results = await maybe_deferred_to_future(DeferredList(waiting, consumeErrors=True)) if waiting else []
        return self.item_completed(results, item, self.spiderinfo)

    async def _process_request(self, request: Any, info: SpiderInfo, item: Any) -> Any:
        mark = self._fingerprinter.fingerprint(request)
        errback, request.errback, request.callback = request.errback, None, NO_CALLBACK
        waiting: Deferred[Any] = Deferred()
        if mark in info.downloaded:
            waiting.callback(info.downloaded[mark])  # a Failure is one here, too
        else:
            info.waiting[mark].append(waiting)
        if errback:
            waiting.addErrback(errback)
        if mark not in info.downloaded and mark not in info.downloading:
            info.downloading.add(mark)
            self._cache_result_and_execute_waiters(await self._obtained(request, info, item), mark, info)
        return await maybe_deferred_to_future(waiting)

    async def _obtained(self, request: Any, info: SpiderInfo, item: Any) -> Any:
        try:
            known = await ensure_awaitable(self.media_to_download(request, info, item=item))
            return known or await self._fetched(request, info, item)
        except Exception as error:
            if not isinstance(error, _MediaRequestFiltered):
                logger.exception("%s: %s has no file", type(self).__name__, request)
            return Failure()

    async def _fetched(self, request: Any, info: SpiderInfo, item: Any) -> Any:
        try:
            self._modify_media_request(request)
            response = await self.crawler.engine.download_async(request)
            return await ensure_awaitable(self.media_downloaded(response, request, info, item=item))
        except Exception:
            result: Any = self.media_failed(Failure(), request, info)
            if isinstance(result, Failure):
                result.raiseException()
            return result

    def _modify_media_request(self, request: Any) -> None:
        if self.handle_httpstatus_list:
            request.meta["handle_httpstatus_list"] = self.handle_httpstatus_list
        else:
            request.meta["handle_httpstatus_all"] = True

    def _cache_result_and_execute_waiters(self, result: Any, fp: bytes, info: SpiderInfo) -> None:
        if isinstance(result, Failure):
            # It is kept as long as the crawl: without the frames, and the response that they hold.
            result.cleanFailure()
            result.frames.clear()
            if isinstance(getattr(result.value, "__context__", None), StopIteration):
                result.value.__context__ = None  # type: ignore[union-attr]  # getattr() has found it
        info.downloading.remove(fp)
        info.downloaded[fp] = result
        for waiting in info.waiting.pop(fp):
            waiting.callback(result)

    # What a class of one's own may have

    def media_to_download(self, request: Any, info: SpiderInfo, *, item: Any = None) -> Any:
        """Return what is known of a file, which is then not fetched, or None; or a Deferred of either."""
        raise NotImplementedError

    def get_media_requests(self, item: Any, info: SpiderInfo) -> Iterable[Any]:
        """Return the requests that an item needs."""
        raise NotImplementedError

    def media_downloaded(self, response: Any, request: Any, info: SpiderInfo, *, item: Any = None) -> Any:
        """Return what the item is told of a response. It may be a coroutine."""
        raise NotImplementedError

    def media_failed(self, failure: Failure, request: Any, info: SpiderInfo) -> NoReturn:
        """Raise what the item is told of a request that failed."""
        raise NotImplementedError

    def item_completed(self, results: list[tuple[bool, Any]], item: Any, info: SpiderInfo) -> Any:
        """Return the item; ``results``: for each request True and what was got, or False and a Failure."""
        for good, result in results if self.LOG_FAILED_RESULTS else ():
            if not good and not isinstance(result.value, _MediaRequestFiltered):
                logger.error(
                    "%s found errors processing %s", type(self).__name__, item,
                    exc_info=(result.type, result.value, result.getTracebackObject()), extra={"spider": info.spider},
                )  # fmt: skip
        return item

    def file_path(self, request: Any, response: Any = None, info: SpiderInfo | None = None, *, item: Any = None) -> str:
        """Return where in the store a file belongs."""
        raise NotImplementedError
