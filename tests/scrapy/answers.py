"""What does Scrapy answer to a table of inputs? In Scrapy's environment this writes data/answers.json:

    PYTHON_WITH_SCRAPY -m tests.scrapy.answers

``test_exact`` asks ours the same and compares. A case is a name, a function of the package and its inputs; an error is
answered by the name of its class, or of the class of the standard library that it derives from.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.scrapy.inputs import BASES, BODIES, EXTRACTORS, FORM, FORMS, HREFS, PAGES, REQUESTS, SITEMAPS, TREES, URLS

PLACE = Path(__file__).parent / "data" / "answers.json"
_BUILTIN = (TypeError, KeyError, IndexError, AttributeError, ValueError, NotImplementedError)


def _headers(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    made = import_module(f"{package}.http").Headers
    for given in (
        {},
        {"a-b": "1"},
        {"A": ["1", b"2", 3]},
        {"n": None},
        [("x", "1"), ("X", "2")],
        {"x": 1.5},
        {"x": {"y": 1}},
    ):
        yield (
            f"{given}",
            lambda given=given: [
                dict(h := made(given)),
                h.to_string(),
                h.get("A"),
                h.getlist("x", ["d"]),
                list(h.values()),
            ],
        )
    h = made({"A": ["1", "2"], "B": None})
    yield "unicode dict", lambda: dict(h.to_unicode_dict())
    yield "in", lambda: ["a" in h, b"A" in h, "b" in h, "c" in h, h.get("b"), h.get("c", "d"), h["b"], len(h)]
    yield (
        "tuples",
        lambda: [
            h.to_tuple_list(),
            h.pop("a"),
            h.setdefault("a", "3"),
            h.setdefault("a", "4"),
            h.appendlist("a", 5),
            dict(h),
        ],
    )
    yield "missing", lambda: h["none"]


def _requests(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    http = import_module(f"{package}.http")
    for url in URLS:
        yield url, lambda url=url: http.Request(url).url
    yield "latin-1", lambda: http.Request("http://h/ä?ä", encoding="latin-1").url
    yield "verbatim", lambda: http.Request("http://h/a b|ä", meta={"verbatim_url": True}).url
    for options in REQUESTS:
        yield f"{options}", lambda options=options: http.Request(**{"url": "http://h/x", **options}).to_dict()
    yield "replaced", lambda: http.Request("http://h/x", meta={"a": 1}).replace(url="http://h/ä", priority=3).to_dict()
    yield "form post", lambda: _sent(http.FormRequest("http://h/", formdata={"a": ["1", "2"], "ü": "ö"}))
    yield (
        "form get",
        lambda: _sent(http.FormRequest("http://h/?old=1#f", method="GET", formdata=[("a", "1"), ("a", "2")])),
    )
    yield "form None", lambda: _sent(http.FormRequest("http://h/", formdata={"a": None}))
    yield "form number", lambda: _sent(http.FormRequest("http://h/", formdata={"a": 1}))
    yield "form empty", lambda: _sent(http.FormRequest("http://h/", formdata={}))
    yield "json", lambda: _sent(http.JsonRequest("http://h/", data={"b": 1, "a": "ü"}))
    yield "json get", lambda: _sent(http.JsonRequest("http://h/", method="GET", data=[1], dumps_kwargs={"indent": 1}))
    yield "json both", lambda: _sent(http.JsonRequest("http://h/", body=b"x", data=[1]).replace(data={"n": None}))
    yield "rpc", lambda: _sent(http.XmlRpcRequest("http://h/", methodname="m", params=(1, "ü")))
    yield "curl", lambda: _sent(http.Request.from_curl("curl 'http://h/x' -H 'A: b' -b 'c=d' --data-raw 'e=f'"))
    yield (
        "to curl",
        lambda: http.Request("http://h/x", None, "POST", {"A": "b"}, "body", {"c": "d"}).to_curl(),
    )


def _sent(request: Any) -> list[Any]:
    return [request.method, request.url, request.body, dict(request.headers), request.dont_filter, request.cookies]


def _responses(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    http, types = import_module(f"{package}.http"), import_module(f"{package}.responsetypes").responsetypes
    for base in BASES:
        for href in HREFS:
            yield f"{base} {href!r}", lambda base=base, href=href: http.HtmlResponse(base).urljoin(href)
    for number, (kind, body) in enumerate(BODIES):
        for url in ("http://h/x", "http://h/x.xml", "http://h/x.png") if number < 4 else ("http://h/x",):

            def read(kind: str | None = kind, body: bytes = body, url: str = url) -> Any:
                headers = {} if kind is None else {"Content-Type": kind}
                response = types.from_args(headers=http.Headers(headers), url=url, body=body)(
                    url, headers=headers, body=body
                )
                name = type(response).__name__
                return (
                    [name] if name == "Response" else [name, response.encoding, response.text, response.selector.type]
                )

            yield f"{kind} {body[:30]!r} {url}", read
    for name, page in PAGES.items():
        response = http.HtmlResponse("http://host/dir/page", body=page)
        yield f"follow {name}", lambda response=response: [each.url for each in response.follow_all(css="a")]
    binary = http.Response("http://h/x", body=b"\x00")
    for name in ("text", "css", "xpath", "encoding", "selector", "json", "meta"):
        yield (
            f"binary {name}",
            lambda name=name: getattr(binary, name)("x") if name in ("css", "xpath") else getattr(binary, name),
        )
    text = http.TextResponse("http://h/x", body="ü", encoding="utf-8", status="201", flags=["f"])
    yield "dict", lambda: {**text.to_dict(), "_class": text.to_dict()["_class"].rpartition(".")[2]}
    yield "no encoding", lambda: http.TextResponse("http://h/x", body="ü")
    yield "body str", lambda: http.Response("http://h/x", body="x")
    yield (
        "json twice",
        lambda: [
            http.JsonResponse("http://h/", body=b'{"a": [1]}').json(),
            http.JsonResponse("http://h/", body=b"x").json(),
        ],
    )
    yield "jmespath", lambda: http.JsonResponse("http://h/", body=b'{"a": [1, 2]}').jmespath("a[1]").getall()
    yield "xpath of json", lambda: http.JsonResponse("http://h/", body=b'{"a": 1}').xpath("//a")


def _links(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    http, extractor = import_module(f"{package}.http"), import_module(f"{package}.linkextractors").LinkExtractor
    for name, page in PAGES.items():
        for options in EXTRACTORS:

            def links(page: bytes = page, options: Any = options) -> Any:
                found = extractor(**options).extract_links(http.HtmlResponse("http://host/dir/page", body=page))
                return [[link.url, link.text, link.fragment, link.nofollow] for link in found]

            yield f"{name} {options}", links
    changed = extractor(process_value=lambda value: value[-5:] if "go" in value else None)
    yield (
        "process_value",
        lambda: [link.url for link in changed.extract_links(http.HtmlResponse("http://host/", body=PAGES["odd"]))],
    )
    yield (
        "matches",
        lambda: [
            extractor(allow="a", deny_extensions="a", allow_domains="h").matches(u)
            for u in ("http://h/a", "x://h/a", "http://g/a")
        ],
    )


def _forms(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    http = import_module(f"{package}.http")
    for method in ("post", "get", "dialog"):
        for options in FORMS:

            def send(method: str = method, options: Any = options) -> Any:
                page = http.HtmlResponse("http://host/dir/page", body=FORM.format(method=method), encoding="utf-8")
                return _sent(http.FormRequest.from_response(page, **options))

            yield f"{method} {options}", send
    yield "no form", lambda: http.FormRequest.from_response(http.HtmlResponse("http://h/", body=b"<p>"))


def _trees(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    http, selector = import_module(f"{package}.http"), import_module(f"{package}.selector").Selector
    for body in TREES:
        page = http.HtmlResponse("http://h/", body=body)
        for kind in ("html", "xml", None):
            yield f"{body!r} {kind}", lambda page=page, kind=kind: selector(page, type=kind).xpath("//*").getall()
        yield (
            f"{body!r} text",
            lambda page=page: [
                page.xpath("//text()").getall(),
                page.css("p::text").re(r"\w"),
                page.xpath("string(.)").get(),
            ],
        )
        yield f"{body!r} bytes", lambda body=body: [selector(text=body).get(), selector(text=body, type="xml").get()]
    yield "both", lambda: selector(http.HtmlResponse("http://h/"), text="x")
    yield "json text", lambda: selector(text='{"a": 1}', type="json").jmespath("a").get()


def _spiders(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    http, spiders = import_module(f"{package}.http"), import_module(f"{package}.spiders")
    extractor = import_module(f"{package}.linkextractors").LinkExtractor

    class Shop(spiders.CrawlSpider):  # type: ignore[misc, name-defined]
        name = "shop"
        rules = (
            spiders.Rule(extractor(allow="in1"), callback="parse_item", process_request="tag", errback="none"),
            spiders.Rule(extractor(restrict_css="#two"), callback="not_there", follow=True, cb_kwargs={"k": 1}),
            spiders.Rule(process_links=lambda links: links[::-1], process_request=lambda request, response: None),
        )
        _follow_links = True

        def tag(self, request: Any, response: Any) -> Any:
            return request.replace(meta={**request.meta, "from": response.url})

        def parse_start_url(self, response: Any, **kwargs: Any) -> Any:
            return [{"start": response.url, **kwargs}]

        def process_results(self, response: Any, results: Any) -> Any:
            return [{**result, "processed": True} for result in results]

    def followed() -> Any:
        page = http.HtmlResponse("http://host/dir/page", body=PAGES["nested"])
        return [r and [r.url, r.meta] for r in Shop()._requests_to_follow(page)]

    yield "rules", followed
    yield "compiled", lambda: [[callable(rule.callback), rule.follow, callable(rule.errback)] for rule in Shop()._rules]
    yield "no name", lambda: spiders.Spider()
    yield "arguments", lambda: vars(spiders.Spider("n", a="1", start_urls=["http://h"]))["a"]
    yield (
        "handles",
        lambda: [Shop.handles_request(http.Request(url)) for url in ("http://shop/", "http://x.shop/", "http://h/")],
    )

    class Sitemap(spiders.SitemapSpider):  # type: ignore[misc, name-defined]
        name = "sitemap"
        sitemap_rules = [("h/[12]", "parse"), ("", "other")]
        sitemap_alternate_links = True
        other = parse = lambda self, response: None
        _max_size = _warn_size = 0

    for url, body in SITEMAPS:
        for cls in (http.XmlResponse, http.TextResponse):

            def listed(url: str = url, body: bytes = body, cls: Any = cls) -> Any:
                found = Sitemap()._parse_sitemap(cls(url, body=body, request=http.Request(url)))
                return [[request.url, request.callback.__name__] for request in found]

            if url.endswith(".txt") and cls is http.XmlResponse:
                continue  # it raises StopIteration, which is no answer
            yield f"sitemap {url} {body[:60]!r} {cls.__name__}", listed

    class Feed(spiders.XMLFeedSpider):  # type: ignore[misc, name-defined]
        name, itertag, namespaces = "feed", "n:item", [("n", "http://n")]

        def parse_node(self, response: Any, node: Any) -> Any:
            return {
                "all": node.xpath("string(.)").get(),
                "id": node.xpath("@id").get(),
                "t": node.xpath("n:t/text()").getall(),
            }

    document = (
        b"<r xmlns:n='http://n'><n:item id='1'><n:t>a</n:t>&amp;</n:item>x<n:item><n:t>b</n:t><n:t/></n:item></r>"
    )
    for iterator in ("iternodes", "xml", "html", "none"):

        def nodes(iterator: str = iterator) -> Any:
            spider = Feed(iterator=iterator)
            return list(spider._parse(http.XmlResponse("http://h/f", body=document)))

        yield f"feed {iterator}", nodes

    class Rows(spiders.CSVFeedSpider):  # type: ignore[misc, name-defined]
        name = "rows"

        def parse_row(self, response: Any, row: Any) -> Any:
            return dict(row)

    for options in ({}, {"delimiter": ";"}, {"headers": ["x", "y"]}, {"quotechar": "'"}):
        body = "a,b\n1,'2,3'\n\n4;5\n\"6\n7\",8\nü,9\n".encode()
        yield (
            f"rows {options}",
            lambda options=options, body=body: list(Rows(**options)._parse(http.TextResponse("http://h/", body=body))),
        )


def _items(package: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    module = import_module(f"{package}.item")

    class Base(module.Item):  # type: ignore[misc, name-defined]
        b = module.Field(serializer="s")
        a = module.Field()

    class Derived(Base):
        c = module.Field()
        b = module.Field()

    yield (
        "fields",
        lambda: [list(Derived.fields), dict(Base.fields["b"]), dict(Derived.fields["b"]), hasattr(Base, "a")],
    )
    yield (
        "repr",
        lambda: [repr(Derived(c=1, a="x")), Derived(c=1) == {"c": 1}, dict(Derived(a=2)), isinstance(Derived(), dict)],
    )
    yield "values", lambda: [Derived(c=1, a=2)._values, list(Derived(c=1, a=2)), Derived(a=1).copy() == Derived(a=1)]
    yield "no field", lambda: Derived(d=1)
    yield "attribute", lambda: Derived(a=1).a
    yield "set attribute", lambda: setattr(Derived(), "a", 1)
    yield "missing", lambda: Derived()["a"]
    adapter = import_module("itemadapter").ItemAdapter
    yield (
        "adapter",
        lambda: [
            adapter(Derived(c=1, a=2)).asdict(),
            list(adapter(Derived()).field_names()),
            adapter.is_item(Derived()),
        ],
    )


TABLES = {
    "headers": _headers, "requests": _requests, "responses": _responses, "links": _links,
    "forms": _forms, "trees": _trees, "spiders": _spiders, "items": _items,
}  # fmt: skip


def answers(table: str, package: str) -> dict[str, Any]:
    """Return what a package, "scrapy" or ours, answers to the cases of a table, as JSON can hold it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: _answer(ask) for name, ask in TABLES[table](package)}


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return _plain(ask())
    except Exception as error:
        kind = type(error)
        return f"! {next((each.__name__ for each in _BUILTIN if issubclass(kind, each)), kind.__name__)}"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"b:{value.decode('latin-1')}"
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    told = {table: answers(table, "scrapy") for table in TABLES}
    PLACE.write_text(json.dumps(told, ensure_ascii=True, indent=0, sort_keys=True) + "\n")
    print(sum(map(len, told.values())), "answers")
