"""A user's spider with mistakes that a type checker shall find: each line marked ``# wrong``, and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from crawler import FormRequest, HttpError, Pipeline, Request, RequestError, Response, Spider


class Books(Spider):
    """Each mistake follows the right form of the same thing."""

    name = "books"
    start_urls = ["https://example.com/"]

    def parse(self, response: Response, page: int = 1) -> Iterator[Request | dict[str, str | None]]:
        for book in response.css("li"):
            yield {"title": book.css("a::text").get(), "link": book.css("a").attrib.get("href")}
            book.csss("a")  # wrong
            book.css("a").get()
            book.css("a").gett()  # wrong
        for part in response.xpath("//li").xpath("a"):
            part.xpath("b").getall()
            part.xpathh("b")  # wrong
        for part in response.css("li").css("a"):
            part.css("b").re_first("x")
            part.csss("b")  # wrong
        response.csss("a")  # wrong

        header = response.headers.get("x")
        if header is not None:
            header.upper()
            header.upperr()  # wrong
        response.headers.get("x").upperr()  # wrong
        response.headers.get("x", b"").upper()
        response.headers["x"].upper()
        response.headers.getlist("x")[0].upper()

        yield response.follow("x", self.parse, priority=3, errback=self.failed, cb_kwargs={"page": 2})
        yield response.follow(response.css("a")[0], self.parse, dont_filter=True, timeout=3.0)
        yield response.follow("x", self.parse, prioritty=3)  # wrong
        yield from response.follow_all(css="a", callback=self.parse, priority=1, meta={"x": 1})
        yield from response.follow_all(response.css("a"), self.parse)
        yield from response.follow_all(["x"], self.parse, headers={"A": "b"})
        yield from response.follow_all(css="a", calllback=self.parse)  # wrong

        self.settings.core.USER_AGENT.upper()
        print(self.settings.core.USER_AGENTT)  # wrong
        response.replace(body=b"").css("a")
        response.replace(bodyy=b"")  # wrong
        response.replace(body=b"").csss("a")  # wrong
        Request("x").replace(url="y", priority=3).copy().url.upper()
        Request("x").replace(urll="x")  # wrong
        print(Request("x").replace(url="x").urll)  # wrong
        FormRequest("x", formdata={"a": "b"}).replace(url="x").url.upper()
        self.stats.inc_value("x")
        self.stats.inc_valuee("x")  # wrong
        if response.request is not None:
            response.request.url.upper()
            print(response.request.urll)  # wrong

    def failed(self, failure: RequestError) -> None:
        if failure.request is not None:
            failure.request.url.upper()
            print(failure.request.urll)  # wrong
        if isinstance(failure, HttpError):
            failure.response.css("a").get()
            failure.response.csss("a")  # wrong

    async def side_calls(self) -> AsyncIterator[dict[str, str]]:
        answer = await self.http.get("https://example.com/api", params={"a": "b"})
        yield {"answer": await answer.text()}
        await self.http.post("https://example.com/hook", json={"a": 1})
        await self.http.gettt("x")  # wrong
        await self.crawler.http.get("x")
        await self.crawler.http.gett("x")  # wrong
        page = await self.fetch("https://example.com/")
        yield {"title": page.css("h1::text").get(default="")}
        page.csss("h1")  # wrong


class Stored(Pipeline):
    """A stage with a mistake."""

    async def process_item(self, item: dict[str, str]) -> dict[str, str]:
        self.stats.inc_value("stored")
        self.stats.inc_valuee("stored")  # wrong
        await self.http.post("https://example.com/hook", json=item)
        await self.http.postt("https://example.com/hook")  # wrong
        return item
