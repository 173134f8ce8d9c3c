"""Spiders whose middlewares, callbacks and pipelines note what happens to them: ``trace`` is what is compared.

``import scrapy`` is Scrapy's where record.py runs it, and ours where the tests do. Each case is a spider; its
``custom_settings`` name what stands round it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import scrapy
from scrapy.exceptions import CloseSpider, DropItem, IgnoreRequest
from scrapy.spidermiddlewares.base import BaseSpiderMiddleware
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.internet.defer import Deferred, inlineCallbacks

ROOT = "http://a.test/"
trace: list[str] = []


def note(*words: Any) -> None:
    trace.append(" ".join(str(word) for word in words))


def shown(result: Any) -> str:
    if isinstance(result, scrapy.Request):
        return result.url.removeprefix(ROOT) or "/"
    return str(result["n"]) if isinstance(result, dict) else repr(result)


class Noting:
    """Notes everything; behind each result of a callback comes nothing of its own."""

    name = "noting"

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        made = cls()
        made.crawler = crawler
        return made

    def process_spider_input(self, response: Any) -> None:
        note(self.name, "input", response.url.removeprefix(ROOT))

    async def process_spider_output(self, response: Any, result: Any) -> Any:
        note(self.name, "output begins")
        async for each in result:
            note(self.name, "output", shown(each))
            yield each
        note(self.name, "output ends")

    def process_spider_exception(self, response: Any, exception: Any) -> Any:
        note(self.name, "exception", type(exception).__name__)

    async def process_start(self, start: Any) -> Any:
        note(self.name, "start begins")
        async for each in start:
            note(self.name, "start", shown(each))
            yield each


class Inner(Noting):
    name = "inner"


class Outer(Noting):
    name = "outer"


class Universal(Noting):
    name = "universal"

    def process_spider_output(self, response: Any, result: Any, spider: Any) -> Any:
        for each in result:
            note(self.name, "output", spider.name, shown(each))
            yield each

    async def process_spider_output_async(self, response: Any, result: Any, spider: Any) -> Any:
        async for each in result:
            note(self.name, "output", spider.name, shown(each))
            yield each

    def process_spider_exception(self, response: Any, exception: Any, spider: Any) -> Any:
        note(self.name, "exception", type(exception).__name__, spider.name)


class Recovers(Noting):
    name = "recovers"

    def process_spider_exception(self, response: Any, exception: Any) -> Any:
        note(self.name, "recovers from", type(exception).__name__)
        return [{"n": "recovered"}]


class RecoversLater(Noting):
    name = "recovers later"

    async def _results(self) -> Any:
        await asyncio.sleep(0)
        yield {"n": "later"}

    def process_spider_exception(self, response: Any, exception: Any) -> Any:
        note(self.name, "recovers from", type(exception).__name__)
        return self._results()


class BreaksOutput(Noting):
    name = "breaks"

    async def process_spider_output(self, response: Any, result: Any) -> Any:
        async for each in result:
            yield each
            raise KeyError(shown(each))


class RefusesInput(Noting):
    name = "refuses"

    def process_spider_input(self, response: Any) -> None:
        super().process_spider_input(response)
        raise ValueError("not this one")


class GivesInput(Noting):
    name = "gives"

    def process_spider_input(self, response: Any) -> Any:
        return []


class GivesException(Noting):
    name = "gives"

    def process_spider_exception(self, response: Any, exception: Any) -> Any:
        return 5


class Sees(BaseSpiderMiddleware):
    """Sees what stands nearer to the spider has done, and changes it."""

    def get_processed_request(self, request: Any, response: Any) -> Any:
        note("sees", shown(request), "depth", request.meta.get("depth"), "start", request.meta.get("is_start_request"),
             "Referer", (request.headers.get("Referer") or b"").decode())  # fmt: skip
        if "skip" in request.url:
            return None
        request.meta["seen"] = True
        return request.replace(url=request.url + "?r") if "rename" in request.url else request

    def get_processed_item(self, item: Any, response: Any) -> Any:
        return None if item["n"] == 0 else {**item, "by": "sees"}


class StartsMore(Noting):
    name = "more"

    async def process_start(self, start: Any) -> Any:
        yield scrapy.Request(ROOT + "before")
        async for each in start:
            if not isinstance(each, dict):
                yield each
        yield {"n": "after"}


def between(*middlewares: Any, **more: Any) -> dict[str, Any]:
    """Return settings with the middlewares at 600, 500, … : the first is the nearest to the spider."""
    return {"SPIDER_MIDDLEWARES": {each: 600 - 100 * at for at, each in enumerate(middlewares)}, **more}


class Base(scrapy.Spider):
    start_urls = [ROOT]

    def parse(self, response: Any) -> Any:
        note("parse", response.url.removeprefix(ROOT), response.meta.get("depth"))
        yield {"n": 1}
        yield {"n": 2}


class Failing(Base):
    def parse(self, response: Any) -> Any:
        yield {"n": 1}
        raise ValueError("in the callback")


class Orders(Base):
    custom_settings = between(Inner, Outer)


class PassesSpiders(Base):
    custom_settings = between(Universal, Inner)


class StaysPlain(Base):
    custom_settings = between(Universal)


class OffersExceptionsPlainly(Failing):
    custom_settings = between(Universal)


class OffersExceptions(Failing):
    custom_settings = between(Inner, Universal, Outer)


class RecoversInTheMiddle(Failing):
    custom_settings = between(Inner, Recovers, Outer)


class RecoversAsynchronously(Failing):
    custom_settings = between(RecoversLater, Outer)


class BreaksInTheMiddle(Base):
    custom_settings = between(Inner, BreaksOutput, Recovers, Outer)


class RaisesAtOnce(Base):
    custom_settings = between(Inner, Recovers, Outer)

    def parse(self, response: Any) -> Any:
        raise ValueError("at once")


class RefusedWithoutErrback(Base):
    custom_settings = between(Inner, RefusesInput, Outer)


class RefusedWithErrback(Base):
    custom_settings = between(Inner, RefusesInput, Outer)

    async def start(self) -> Any:
        yield scrapy.Request(ROOT, errback=self.failed)

    def failed(self, failure: Any) -> Any:
        note("errback", failure.type.__name__, failure.request.url, failure.check(ValueError) is ValueError)
        yield {"n": "of the errback"}


class RefusedAndRaised(RefusedWithErrback):
    def failed(self, failure: Any) -> Any:
        failure.raiseException()


class GivesNonsenseIn(Base):
    custom_settings = between(Inner, GivesInput, Outer)


class GivesNonsenseBack(Failing):
    custom_settings = between(Inner, GivesException, Recovers)


class SeesStatus(Base):
    custom_settings = {"SPIDER_MIDDLEWARES": {Inner: 543, Outer: 30}, "HTTPERROR_ALLOWED_CODES": [403]}
    start_urls = [ROOT + "404", ROOT + "403", ROOT + "500"]


class SeesStatusInErrback(SeesStatus):
    async def start(self) -> Any:
        yield scrapy.Request(ROOT + "404", errback=self.failed)
        yield scrapy.Request(ROOT + "500", meta={"handle_httpstatus_list": [500]})
        yield scrapy.Request(ROOT + "503", meta={"handle_httpstatus_all": True})

    def failed(self, failure: Any) -> Any:
        note(
            "errback",
            failure.check(HttpError) is HttpError,
            failure.value.response.status,
            failure.check(IgnoreRequest) is IgnoreRequest,
        )
        return {"n": failure.value.response.url}


class PlainStatus(Base):
    """The same without middlewares of its own."""

    start_urls = [ROOT + "404"]

    async def start(self) -> Any:
        yield scrapy.Request(ROOT + "404", errback=self.failed)
        yield scrapy.Request(ROOT + "500", errback=self.hands_on)
        yield scrapy.Request(ROOT + "500?", meta={"handle_httpstatus_list": [500]})

    def failed(self, failure: Any) -> Any:
        note(
            "errback",
            failure.check(HttpError) is HttpError,
            isinstance(failure.value, HttpError),
            failure.value.response.status,
        )
        yield scrapy.Request(ROOT + "next", self.after)

    def hands_on(self, failure: Any) -> Any:
        note("hands on", type(failure.value).__name__)
        return failure

    def after(self, response: Any) -> Any:
        note("after", response.meta["depth"], response.request.headers.get("Referer"))


class SeesRequests(Base):
    custom_settings = between(Sees)

    def parse(self, response: Any) -> Any:
        note("parse", shown(response.request), response.meta.get("seen"), response.meta.get("depth"))
        if response.meta.get("depth", 0) < 1:
            yield {"n": 0}
            yield {"n": 1}
            for name in ("skip", "rename", "same"):
                yield response.follow(name)
            yield response.follow("reset", meta={"depth_reset": True, "depth": 7})


class LimitsDepth(SeesRequests):
    custom_settings = between(Sees, DEPTH_LIMIT=1, URLLENGTH_LIMIT=30, DEPTH_PRIORITY=1)

    def parse(self, response: Any) -> Any:
        yield response.follow(response.url + "a")
        yield response.follow("much-too-long-for-the-limit")


class Starts(Base):
    custom_settings = between(Inner, StartsMore, Outer)

    async def start(self) -> Any:
        yield scrapy.Request(ROOT + "1", dont_filter=True)
        await asyncio.sleep(0)
        yield {"n": "left out"}
        yield scrapy.Request(ROOT + "2")


class StartsItems(Base):
    async def start(self) -> Any:
        yield {"n": "of start"}
        yield scrapy.Request(ROOT, self.parse, meta={"depth": 5})

    def parse(self, response: Any) -> Any:
        note(
            "parse", response.meta["depth"], response.meta["is_start_request"], response.request.callback == self.parse
        )
        yield response.follow("x", self.deeper)

    def deeper(self, response: Any) -> Any:
        note(
            "deeper",
            response.meta["depth"],
            response.meta.get("is_start_request"),
            response.request.callback == self.deeper,
        )


class NoCallbackNamed(Base):
    def parse(self, response: Any, extra: str = "none") -> Any:
        note("callback", response.request.callback, extra)
        if extra == "none":
            yield response.follow("x", cb_kwargs={"extra": "given"})


@dataclasses.dataclass
class Data:
    n: int


class Declared(scrapy.Item):
    n = scrapy.Field()


class Kinds(Base):
    """Callbacks of every kind."""

    kinds = [
        *("none", "a_dict", "a_list", "a_tuple", "an_item", "a_dataclass", "a_request", "generates", "coroutine"),
        *("coroutine_list", "async_generates", "awaits_deferred", "inline", "deferred"),
    ]

    async def start(self) -> Any:
        for name in self.kinds:
            yield scrapy.Request(ROOT + name, getattr(self, name))

    def none(self, response: Any) -> Any:
        return None

    def a_dict(self, response: Any) -> Any:
        return {"n": "dict"}

    def a_list(self, response: Any) -> Any:
        return [{"n": "list"}, None, scrapy.Request(ROOT + "list")]

    def a_tuple(self, response: Any) -> Any:
        return ({"n": "tuple"},)

    def an_item(self, response: Any) -> Any:
        return Declared(n="item")

    def a_dataclass(self, response: Any) -> Any:
        return Data(3)

    def a_request(self, response: Any) -> Any:
        return scrapy.Request(ROOT + "request")

    def generates(self, response: Any) -> Any:
        yield {"n": "generator"}
        yield None
        yield Declared(n="also")

    async def coroutine(self, response: Any) -> Any:
        await asyncio.sleep(0)
        return {"n": "coroutine"}

    async def coroutine_list(self, response: Any) -> Any:
        return [{"n": "coroutine's list"}]

    async def async_generates(self, response: Any) -> Any:
        await asyncio.sleep(0)
        yield {"n": "async generator"}

    async def awaits_deferred(self, response: Any) -> Any:
        waited: Deferred[str] = Deferred()
        asyncio.get_running_loop().call_soon(waited.callback, "fired")
        yield {"n": await maybe_future(waited)}

    @inlineCallbacks
    def inline(self, response: Any) -> Any:
        waited: Deferred[str] = Deferred()
        asyncio.get_running_loop().call_soon(waited.callback, "inline")
        found = yield waited
        return [{"n": found}]

    def deferred(self, response: Any) -> Any:
        waited: Deferred[str] = Deferred()
        asyncio.get_running_loop().call_soon(waited.callback, "deferred")
        return waited.addCallback(lambda found: [{"n": found}])

    def parse(self, response: Any) -> Any:
        note("parse", shown(response.request))


def maybe_future(deferred: Any) -> Any:
    from scrapy.utils.defer import maybe_deferred_to_future

    return maybe_deferred_to_future(deferred)


class KindsBetween(Kinds):
    """The same behind middlewares of all kinds."""

    kinds = [kind for kind in Kinds.kinds if kind not in ("an_item", "a_dataclass", "generates")]
    custom_settings = between(Inner, Universal)


class Errbacks(Base):
    async def start(self) -> Any:
        for name in ("yields", "gives", "raises", "hands_on", "raises_same", "later", "asks"):
            yield scrapy.Request(f"{ROOT}down/{name}", self.parse, errback=getattr(self, name))

    def yields(self, failure: Any) -> Any:
        note("errback", failure.request.url)
        yield {"n": "yielded"}

    def gives(self, failure: Any) -> Any:
        return {"n": "given"}

    def raises(self, failure: Any) -> Any:
        raise KeyError("of the errback")

    def hands_on(self, failure: Any) -> Any:
        return failure

    def raises_same(self, failure: Any) -> Any:
        raise failure.value

    async def later(self, failure: Any) -> Any:
        await asyncio.sleep(0)
        return [{"n": "later"}]

    def asks(self, failure: Any) -> Any:
        yield scrapy.Request(ROOT + "asked", self.after)

    def after(self, response: Any) -> Any:
        note(
            "after",
            response.meta["depth"],
            response.meta.get("is_start_request"),
            response.request.headers.get("Referer"),
        )
        yield response.follow("deeper", self.deeper)

    def deeper(self, response: Any) -> Any:
        note("deeper", response.meta["depth"], response.request.headers.get("Referer"))


class RedirectedToSeen(Base):
    """Of a redirect to a page that was asked for nobody hears, nor of one to another site."""

    allowed_domains = ["a.test"]

    async def start(self) -> Any:
        yield scrapy.Request(ROOT + "next", self.arrived)
        await asyncio.sleep(0.2)
        yield scrapy.Request(ROOT + "302/next", self.arrived, errback=self.failed)
        yield scrapy.Request(ROOT + "302/other", self.arrived, errback=self.failed)

    def arrived(self, response: Any) -> None:
        note("arrived", response.url)

    def failed(self, failure: Any) -> None:
        note("failed", failure.type.__name__)


class ErrbacksBetween(Errbacks):
    """No middleware sees what an errback of a failed download gives."""

    custom_settings = between(Inner, Universal)


class Closes(Base):
    def parse(self, response: Any) -> Any:
        yield {"n": "kept"}
        raise CloseSpider("enough")

    def closed(self, reason: str) -> None:
        note("closed", reason)


# Pipelines


class Pipe:
    name = "pipe"

    def __init__(self) -> None:
        note(self.name, "made")

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        note(cls.name, "from_crawler", crawler.settings.getint("PIPES"), crawler.spider is not None)
        return cls()

    def open_spider(self, spider: Any) -> None:
        note(self.name, "opened", spider.name)

    def close_spider(self, spider: Any) -> None:
        note(self.name, "closed", spider.name)

    def process_item(self, item: Any, spider: Any) -> Any:
        note(self.name, item["n"], spider.name)
        return item


class First(Pipe):
    name = "first"


class WithoutSpider:
    def open_spider(self) -> None:
        note("without opened")

    def process_item(self, item: Any) -> Any:
        note("without", item["n"])
        return {**item, "more": True}

    def close_spider(self) -> None:
        note("without closed")


class Bare:
    def process_item(self, item: Any, spider: Any) -> Any:
        note("bare", item["n"], item["more"])
        if item["n"] == 2:
            raise DropItem("two")
        if item["n"] == 3:
            raise ValueError("three")
        return item


class Gives:
    """What is to be awaited, of each kind."""

    async def open_spider(self, spider: Any) -> None:
        await asyncio.sleep(0)

    def process_item(self, item: Any, spider: Any) -> Any:
        note("gives", item["n"])
        if item["n"] == 1:
            waited: Deferred[Any] = Deferred()
            asyncio.get_running_loop().call_later(0.05, waited.callback, {**item, "by": "Deferred"})
            return waited
        return self.later(item) if item["n"] == 2 else item

    async def later(self, item: Any) -> Any:
        await asyncio.sleep(0.1)
        return {**item, "by": "coroutine"}


class GivesNothing:
    def process_item(self, item: Any, spider: Any) -> Any:
        note("nothing", item["n"])


class AfterNothing:
    def process_item(self, item: Any, spider: Any) -> Any:
        note("after nothing", item)
        return item


class Several(Base):
    def parse(self, response: Any) -> Any:
        for number in range(1, 5):
            yield {"n": number}


class Pipelines(Several):
    custom_settings = {"ITEM_PIPELINES": {Bare: 900, First: 100, WithoutSpider: 300}, "PIPES": "3"}


class PipelinesAwaited(Several):
    custom_settings = {"ITEM_PIPELINES": {Gives: 100, First: 200}}


class PipelinesNothing(Several):
    custom_settings = {"ITEM_PIPELINES": {GivesNothing: 100, AfterNothing: 200}}


class MakesItems:
    def process_item(self, item: Any, spider: Any) -> Any:
        note("makes of", item)
        return {"n": str(item)} if not isinstance(item, (int, dict)) else item


class OddResults(Base):
    """Whatever is no request goes into the pipelines, a list that is yielded, too."""

    custom_settings = {"ITEM_PIPELINES": {MakesItems: 1}}

    def parse(self, response: Any) -> Any:
        yield "text"
        yield 5
        yield [{"n": 1}, {"n": 2}]
        yield ("a", "b")
        yield {"n": 3}
        yield scrapy.Request(ROOT + "1", self.one)

    def one(self, response: Any) -> Any:
        return "of one"


class OddResultsLater(OddResults):
    async def parse(self, response: Any) -> Any:
        yield [{"n": 1}, {"n": 2}]
        yield "text"


class ClosesInPipeline:
    def process_item(self, item: Any, spider: Any) -> Any:
        if item["n"] == 1:
            raise CloseSpider("enough")
        return item


class PipelineCloses(Several):
    custom_settings = {"ITEM_PIPELINES": {ClosesInPipeline: 1}}

    def closed(self, reason: str) -> None:
        note("closed", reason)


CASES = {
    case.__name__: case
    for case in vars().copy().values()
    if isinstance(case, type) and issubclass(case, scrapy.Spider) and case.__module__ == __name__
    and case not in (Base, Failing, Several)
}  # fmt: skip
for _name, _case in CASES.items():
    _case.name = _name.lower()
