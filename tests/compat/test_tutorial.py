"""Do spiders in the style of Scrapy's tutorials run with only their imports changed?"""

from __future__ import annotations

import json
from typing import Any

import crawler as scrapy
from crawler.testing import crawl

HOME = "https://quotes.test/"


def quote(text: str, author: str, *tags: str) -> str:
    marks = "".join(f'<a class="tag" href="/tag/{tag}/">{tag}</a>' for tag in tags)
    return (
        f'<div class="quote"><span class="text">{text}</span><small class="author">{author}</small>'
        f'<a href="/author/{author}">(about)</a><div class="tags">{marks}</div></div>'
    )


SITE = {
    HOME: quote("One", "Ann", "a", "b")
    + quote("Two", "Bob", "b")
    + '<li class="next"><a href="/page/2/">Next</a></li>',
    HOME + "page/2/": quote("Three", "Ann", "a") + "<ul class='pager'></ul>",
    HOME + "author/Ann": "<h3 class='author-title'>Ann\n </h3><p class='born'>1901</p>",
    HOME + "author/Bob": "<h3 class='author-title'>Bob</h3>",
    HOME + "tag/b/": quote("One", "Ann", "a", "b") + quote("Two", "Bob", "b"),
}


def test_quotes_with_css_and_next_page() -> None:
    class QuotesSpider(scrapy.Spider):
        name = "quotes"
        start_urls = [HOME]

        def parse(self, response):  # type: ignore[no-untyped-def]
            for quote in response.css("div.quote"):
                yield {
                    "text": quote.css("span.text::text").get(),
                    "author": quote.xpath("span/../small/text()").get(),
                    "tags": quote.css("div.tags a.tag::text").getall(),
                }
            next_page = response.css("li.next a::attr(href)").get()
            if next_page is not None:
                next_page = response.urljoin(next_page)
                yield scrapy.Request(next_page, callback=self.parse)

    result = crawl(QuotesSpider, SITE)
    assert [item["text"] for item in result.items] == ["One", "Two", "Three"]
    assert result.items[0] == {"text": "One", "author": "Ann", "tags": ["a", "b"]}
    assert result.summary.exit_status == 0


def test_authors_by_follow_all() -> None:
    class AuthorSpider(scrapy.Spider):
        name = "author"
        start_urls = [HOME]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield from response.follow_all(response.css(".author + a"), self.parse_author)
            yield from response.follow_all(response.css("li.next a"), self.parse)

        def parse_author(self, response):  # type: ignore[no-untyped-def]
            def extract_with_css(query: str) -> str:
                return response.css(query).get(default="").strip()

            yield {"name": extract_with_css("h3.author-title::text"), "born": extract_with_css(".born::text")}

    result = crawl(AuthorSpider, SITE)
    assert sorted(item["name"] for item in result.items) == ["Ann", "Bob"]  # Ann once: seen before
    assert {"name": "Bob", "born": ""} in result.items


def test_start_requests_and_an_argument() -> None:
    class TagSpider(scrapy.Spider):
        name = "tag"

        def __init__(self, tag: str | None = None, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.tag = tag

        def start_requests(self):  # type: ignore[no-untyped-def]
            url = HOME
            tag = getattr(self, "tag", None)
            if tag is not None:
                url = url + "tag/" + tag + "/"
            yield scrapy.Request(url, self.parse)

        def parse(self, response):  # type: ignore[no-untyped-def]
            self.logger.info("A response from %s just arrived", response.url)
            yield {"url": response.url, "quotes": len(response.css("div.quote"))}

    assert crawl(TagSpider, SITE, arguments={"tag": "b"}).items == [{"url": HOME + "tag/b/", "quotes": 2}]
    assert crawl(TagSpider, SITE).items == [{"url": HOME, "quotes": 2}]


def test_a_spider_that_hands_its_name_up_keeps_the_one_of_its_class() -> None:
    class Named(scrapy.Spider):
        name = "named"
        start_urls = [HOME]

        def __init__(self, name: str | None = None, **kwargs: Any) -> None:
            super().__init__(name, **kwargs)

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"name": self.name}

    assert crawl(Named, {HOME: "x"}).items == [{"name": "named"}]
    assert [Named("other").name, Named(name="other").name, scrapy.Spider("plain").name] == ["other", "other", "plain"]


def test_async_start_with_items_and_requests() -> None:
    class StartSpider(scrapy.Spider):
        name = "start"

        async def start(self):  # type: ignore[no-untyped-def]
            yield {"first": True}
            for number in (1, 2):
                yield scrapy.Request(f"{HOME}?n={number}", cb_kwargs={"number": number})

        async def parse(self, response, number):  # type: ignore[no-untyped-def]
            yield {"number": number}

    result = crawl(StartSpider, lambda request: "page")
    assert result.items == [{"first": True}, {"number": 1}, {"number": 2}]


def test_item_built_over_two_pages_by_cb_kwargs_and_meta() -> None:
    class Details(scrapy.Spider):
        name = "details"
        start_urls = [HOME]

        def parse(self, response):  # type: ignore[no-untyped-def]
            item = {"main": response.url}
            request = scrapy.Request(HOME + "author/Ann", self.parse_page2, cb_kwargs={"item": item})
            request.cb_kwargs["foo"] = "bar"
            request.meta["kept"] = [1, 2]
            yield request
            other = scrapy.Request(HOME + "author/Ann", callback=self.parse_again, dont_filter=True)
            other.meta["item"] = item
            yield other

        def parse_page2(self, response, item, foo):  # type: ignore[no-untyped-def]
            yield {**item, "foo": foo, "kept": response.meta["kept"], "depth": response.meta["depth"]}

        def parse_again(self, response):  # type: ignore[no-untyped-def]
            item = response.meta["item"]
            item["other"] = response.request.headers["Referer"].decode()
            return item

    result = crawl(Details, SITE)
    assert {"main": HOME, "foo": "bar", "kept": [1, 2], "depth": 1} in result.items
    assert {"main": HOME, "other": HOME} in result.items


def test_several_items_and_requests_in_a_list() -> None:
    class Lists(scrapy.Spider):
        name = "lists"
        allowed_domains = ["quotes.test"]
        start_urls = [HOME]
        custom_settings = {"DEPTH_LIMIT": 1}

        def parse(self, response):  # type: ignore[no-untyped-def]
            found: list[Any] = [{"title": text} for text in response.xpath("//span[@class='text']/text()").getall()]
            found += [scrapy.Request(response.urljoin(a), self.parse) for a in response.css("a::attr(href)").extract()]
            found.append(scrapy.Request("https://elsewhere.test/", self.parse))
            return found

    result = crawl(Lists, SITE)
    assert len(result.items) == 5
    assert not any("elsewhere" in url for url in result.urls)
    assert result.summary.stats["offsite/filtered"] == 5  # once a page


def test_selectors_on_text_regex_and_attributes() -> None:
    class Shop(scrapy.Spider):
        name = "shop"
        start_urls = ["https://shop.test/"]

        def parse(self, response):  # type: ignore[no-untyped-def]
            fragment = scrapy.Selector(text="<p>in <b>bold</b></p>")
            yield {
                "price": response.css("p.price::text").re_first(r"(\d+\.\d+)"),
                "link": response.css("a").attrib["href"],
                "links": [a.attrib.get("title", "") for a in response.xpath("//a")],
                "first": response.selector.xpath("//title/text()").extract_first(),
                "none": response.css("em::text").extract_first(default="none"),
                "bold": fragment.css("b::text").get(),
                "upper": response.xpath("//title[re:test(., '^sh', 'i')]/text()").get(),
                "count": response.xpath("count(//a)").get(),
                "same": response.url == response.request.url,
                "type": isinstance(response, scrapy.HtmlResponse),
                "header": response.headers.get("Content-Type", b"").decode(),
            }

    page = "<title>Shop</title><p class=price>EUR 12.50</p><a href='/x' title='x'>x</a><a href='/y'>y</a>"
    (item,) = crawl(Shop, {"https://shop.test/": page}).items
    assert item == {
        "price": "12.50",
        "link": "/x",
        "links": ["x", ""],
        "first": "Shop",
        "none": "none",
        "bold": "bold",
        "upper": "Shop",
        "count": "2.0",
        "same": True,
        "type": True,
        "header": "text/html; charset=utf-8",
    }


def test_follow_in_all_its_forms() -> None:
    class Follow(scrapy.Spider):
        name = "follow"
        start_urls = [HOME]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield response.follow("/1", self.page)
            yield response.follow(response.css("a.two")[0], callback=self.page)
            yield response.follow(response.css("a.two::attr(title)")[0], callback=self.page)
            yield response.follow(scrapy.Link(HOME + "4"), self.page)
            yield from response.follow_all(["/5", "6"], self.page, cb_kwargs={"how": "list"})
            yield from response.follow_all(css="ul a", callback=self.page, cb_kwargs={"how": "css"})
            yield from response.follow_all(xpath="//ol//a/@href", callback=self.page, meta={"how": "xpath"})

        def page(self, response, how=""):  # type: ignore[no-untyped-def]
            yield {"path": response.url.removeprefix(HOME), "how": how or response.meta.get("how", "")}

    page = "<a class=two href=/2 title=3>2</a><ul><a href=7>7</a><a>no</a></ul><ol><a href=8>8</a></ol>"
    result = crawl(Follow, lambda request: page if request.url == HOME else "end")
    assert sorted((item["path"], item["how"]) for item in result.items) == [
        ("1", ""), ("2", ""), ("3", ""), ("4", ""), ("5", "list"), ("6", "list"), ("7", "css"), ("8", "xpath"),
    ]  # fmt: skip


def test_json_api_with_pages() -> None:
    class Api(scrapy.Spider):
        name = "api"
        url = "https://api.test/quotes?page={}"
        start_urls = [url.format(1)]

        def parse(self, response):  # type: ignore[no-untyped-def]
            data = json.loads(response.text)
            assert data == json.loads(response.body) == response.json()
            for quote in data["quotes"]:
                yield {"quote": quote, "via": response.jmespath("quotes[0]").get()}
            if data["has_next"]:
                yield scrapy.Request(url=self.url.format(data["page"] + 1), callback=self.parse)

    def site(request: scrapy.Request) -> Any:
        if request.url.endswith("robots.txt"):
            return 404
        page = int(request.url[-1])
        body = json.dumps({"page": page, "quotes": [f"q{page}"], "has_next": page < 3})
        return scrapy.Response(request.url, headers={"Content-Type": "application/json"}, body=body.encode())

    assert [item["quote"] for item in crawl(Api, site).items] == ["q1", "q2", "q3"]


def test_parse_is_the_default_and_close_is_told_the_reason() -> None:
    closed: list[str] = []

    class Closing(scrapy.Spider):
        name = "closing"
        start_urls = [HOME + "page/2/"]

        def parse(self, response):  # type: ignore[no-untyped-def]
            if "pager" in response.text:
                raise scrapy.CloseSpider("enough")

        def closed(self, reason):  # type: ignore[no-untyped-def]
            closed.append(reason)

    result = crawl(Closing, SITE)
    assert closed == ["enough"]
    assert result.summary.reason == "enough"
