import gzip

import scrapy
import scrapy.shell
from scrapy import FormRequest, Selector, shell, signals  # noqa: F401
from scrapy.contracts.default import ReturnsContract, ScrapesContract, UrlContract  # noqa: F401
from scrapy.http import Headers, Response
from scrapy.http.cookies import CookieJar
from scrapy.http.headers import Headers as SameHeaders
from scrapy.http.request.form import FormRequest as SameFormRequest
from scrapy.http.request.json_request import JsonRequest
from scrapy.http.request.rpc import XmlRpcRequest
from scrapy.http.response.html import HtmlResponse
from scrapy.http.response.json import JsonResponse
from scrapy.http.response.text import TextResponse
from scrapy.http.response.xml import XmlResponse
from scrapy.interfaces import ISpiderLoader  # noqa: F401
from scrapy.item import Field, Item
from scrapy.link import Link
from scrapy.linkextractors.lxmlhtml import LxmlLinkExtractor
from scrapy.responsetypes import responsetypes
from scrapy.selector.unified import Selector as SameSelector
from scrapy.settings import default_settings
from scrapy.spiders.crawl import CrawlSpider, Rule  # noqa: F401
from scrapy.spiders.feed import CSVFeedSpider, XMLFeedSpider  # noqa: F401
from scrapy.spiders.sitemap import SitemapSpider  # noqa: F401
from scrapy.utils.asyncgen import collect_asyncgen
from scrapy.utils.asyncio import is_asyncio_available
from scrapy.utils.conf import arglist_to_dict, build_component_list
from scrapy.utils.console import start_python_console  # noqa: F401
from scrapy.utils.curl import curl_to_request_kwargs
from scrapy.utils.datatypes import CaseInsensitiveDict, LocalCache, SequenceExclude
from scrapy.utils.decorators import defers, inthread  # noqa: F401
from scrapy.utils.deprecate import method_is_overridden
from scrapy.utils.display import pformat
from scrapy.utils.gz import gunzip
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.iterators import csviter, xmliter_lxml
from scrapy.utils.job import job_dir
from scrapy.utils.misc import arg_to_iter, load_object, rel_has_nofollow, walk_modules
from scrapy.utils.python import get_func_args, global_object_name, to_bytes, to_unicode, unique, without_none_values
from scrapy.utils.request import fingerprint, request_from_dict
from scrapy.utils.response import response_status_message
from scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots
from scrapy.utils.spider import iter_spider_classes, iterate_spider_output
from scrapy.utils.template import string_camelcase
from scrapy.utils.test import get_crawler  # noqa: F401
from scrapy.utils.trackref import object_ref  # noqa: F401
from scrapy.utils.url import add_http_if_no_scheme, guess_scheme, strip_url, url_has_any_extension, url_is_from_any_domain
from scrapy.utils.versions import get_versions


class Thing(Item):
    a = Field(serializer=str)
    b = Field()


class ToolsSpider(scrapy.Spider):
    name = "tools"
    start_urls = ["http://toolbox.example/page"]

    async def start(self):
        async for request in super().start():
            yield request
        yield XmlRpcRequest("http://toolbox.example/rpc", methodname="add", params=(1, "ü"), callback=self.parse_sent)
        yield JsonRequest("http://toolbox.example/json", data=[1], callback=self.parse_sent)

    def parse_sent(self, response):
        yield {"sent": response.json()["body"], "kind": type(response).__name__, "flags": response.flags,
               "ip": str(response.ip_address is None), "protocol": response.protocol}

    async def parse(self, response):
        yield {"response": self.of_responses(response)}
        yield {"request": self.of_requests(response)}
        yield {"headers": self.of_headers(response)}
        yield {"item": self.of_items()}
        yield {"links": self.of_links(response)}
        yield {"misc": self.of_misc(response)}
        yield {"generated": await collect_asyncgen(self.numbers())}

    async def numbers(self):
        for number in range(3):
            yield number

    def of_responses(self, response):
        copy = response.replace(body=b"\xe4", encoding="latin-1")
        made = {kind.__name__: kind("http://t.example/", body=b"<a/>").text for kind in
                (HtmlResponse, XmlResponse, JsonResponse, TextResponse)}
        return [
            type(response).__name__, response.encoding, copy.text, made, response.urljoin("../a?b#c"), str(response),
            responsetypes.from_args(headers={"Content-Type": ["text/xml"]}, url="http://a.example/b.html").__name__,
            responsetypes.from_filename("a.json").__name__, responsetypes.from_body(b"\x00\x01").__name__,
            Response("http://a.example", status=404, flags=["f"]).flags, response_status_message(404),
            [selector.get() for selector in response.xpath("//a")[:1]], response.selector.type,
            sorted(response.attributes), response.copy() is not response, str(Response("http://a.example")),
        ]

    def of_requests(self, response):
        request = scrapy.Request("HTTP://A.example:80/ä b?q=ö#f", method="put", headers={"A": ["1", "2"]}, body="ü",
                                 cookies={"a": "b"}, meta={"m": 1}, flags=["x"], encoding="utf-8", priority=3)
        again = request_from_dict(request.to_dict(spider=self), spider=self)
        failed = []
        for arguments in ({"url": "no scheme"}, {"url": 5}, {"url": "http://a.example", "callback": "x"},
                          {"url": "http://a.example", "priority": "1"}, {"url": None}):
            try:
                scrapy.Request(**arguments)
            except (TypeError, ValueError) as error:
                failed.append(type(error).__name__)
        form = FormRequest("http://a.example/x?y=1", method="GET", formdata=[("a", "1"), ("a", "2")])
        return [
            request.url, request.method, request.body.decode(), str(request), repr(request), again.url == request.url,
            failed, form.url, SameFormRequest is FormRequest, fingerprint(request).hex(),
            request.replace(method="GET", body=b"").method, request.to_curl() if hasattr(request, "to_curl") else "",
            curl_to_request_kwargs("curl -H 'A: b' http://a.example/ -d x=1"), sorted(request.to_dict()),
            urlparse_cached(request).netloc, response.follow("x?y#z").url, request.headers.getlist("a")[0].decode(),
        ]

    def of_headers(self, response):
        headers = Headers({"Content-type": "a", "X": ["1", "2"]})
        headers.appendlist("x", "3")
        headers["None"] = None
        return [
            [value.decode() for value in headers.getlist("X")], headers.get("x").decode(), "content-TYPE" in headers,
            headers.to_string().decode(), SameHeaders is Headers, {k.decode(): len(v) for k, v in dict(headers).items()},
            headers.get("nothing", b"d").decode(), response.headers.get("Content-Type").decode(), bool(CookieJar()),
        ]

    def of_items(self):
        thing = Thing(a=1)
        failed = []
        for attempt in (lambda: Thing(c=1), lambda: thing["b"], lambda: thing.a):
            try:
                attempt()
            except Exception as error:
                failed.append(type(error).__name__)
        return [dict(thing), thing.get("b"), failed, thing.deepcopy() == thing, sorted(Thing.fields), repr(thing),
                Thing.fields["a"]["serializer"] is str, dict(thing._values)]

    def of_links(self, response):
        extractor = LxmlLinkExtractor(tags=("a", "img"), attrs=("href", "src"), deny_extensions=(), unique=False)
        links = extractor.extract_links(response)
        return [[link.url, link.text, link.fragment, link.nofollow] for link in links] + [repr(Link("http://a.example"))]

    def of_misc(self, response):
        cache = LocalCache(limit=2)
        for number in range(3):
            cache[number] = number
        nodes = xmliter_lxml(XmlResponse("http://a.example", body=b"<r><i>1</i><i>2</i></r>"), "i")
        return [
            arg_to_iter("a"), load_object("scrapy.item.Item") is Item, rel_has_nofollow("ugc nofollow"),
            [module.__name__ for module in walk_modules("toolbox.spiders")], to_bytes("ü").hex(), to_unicode(b"a"),
            unique([1, 2, 1]), get_func_args(self.of_items.__func__), without_none_values({"a": None, "b": 1}),
            global_object_name(Item), list(cache), CaseInsensitiveDict({"A": 1})["a"], 3 in SequenceExclude([1]),
            [row["a"] for row in csviter("a,b\n1,2\n3,4\n")], [node.xpath("text()").get() for node in nodes],
            gunzip(gzip.compress(b"x")).decode(), list(sitemap_urls_from_robots("Sitemap: /s.xml", "http://a.example")),
            [dict(each) for each in Sitemap(b"<urlset><url><loc>http://a.example/</loc></url></urlset>")],
            string_camelcase("lost-pound"), add_http_if_no_scheme("a.example"), guess_scheme("/a"),
            strip_url("http://u:p@a.example:80/x#f"), url_has_any_extension("http://a.example/x.PDF", [".pdf"]),
            url_is_from_any_domain("http://b.a.example", ["a.example"]), arglist_to_dict(["a=1"]),
            build_component_list({"a.B": 2, "a.A": 1, "a.N": None}), is_asyncio_available(), pformat({"a": 1}).strip(),
            method_is_overridden(ToolsSpider, scrapy.Spider, "start"), job_dir(self.settings), len(get_versions()) > 5,
            [each.name for each in iter_spider_classes(__import__("sys").modules[__name__]) if each.name == "tools"],
            list(iterate_spider_output([1])), default_settings.CONCURRENT_REQUESTS, SameSelector is Selector,
            Selector(text=b"<b>x</b>".decode()).css("b::text").get(), callable(defers(len)),
        ]
