from itemloaders.processors import MapCompose
import scrapy
from scrapy.loader import ItemLoader
from scrapy.selector import Selector, SelectorList  # noqa: F401

from catalog.items import Author, Book, Shelf, Signed
from catalog.loaders import BookLoader, SignedLoader


class BooksSpider(scrapy.Spider):
    name = "books"
    start_urls = ["http://catalog.example/shelf/1", "http://catalog.example/shelf/2"]

    def parse(self, response):
        shelf = ItemLoader(item=Shelf(), response=response)
        shelf.add_xpath("number", "//h1/text()", re=r"\d+")
        shelf.add_css("books", "li.book h2::text")
        yield shelf.load_item()
        for row in response.css("li.book"):
            loader = BookLoader(item=Book(), selector=row, response=response)
            loader.add_css("title", "h2::text")
            loader.add_xpath("price", ".//b/text()")
            loader.add_css("pages", "::attr(data-pages)", MapCompose(str.strip))
            loader.add_value("url", response.url)
            loader.add_value("authors", row.css("i::text").getall())
            loader.add_value("tags", ["b", "a", "b"])
            loader.add_value("color", {"color": "red"})
            loader.add_value(None, {"isbn": ["1-2", "3"]})
            facts = loader.nested_css("div.facts")
            facts.add_xpath("isbn", "./span/@data-isbn")
            facts.replace_xpath("tags", "./span/text()")
            yield loader.load_item()
            yield {"title": loader.get_output_value("title"), "collected": loader.get_collected_values("isbn"),
                   "css": loader.get_css("h2::text", MapCompose(str.upper)), "value": loader.get_value(["a", "b"], ",".join)}
        yield response.follow("/authors", self.parse_authors, dont_filter=False)
        signed = SignedLoader(Signed(), response)
        signed.add_value("by", ["a-b", "c"])
        signed.add_css("title", "h1::text")
        yield signed.load_item()

    def parse_authors(self, response):
        for name in response.xpath("//i[has-class('author')]/text()").getall():
            yield Author(name=name, born=len(name))
        default = ItemLoader(response=response)
        default.add_xpath("anything", "//h1/text()")
        yield default.load_item()
        select = Selector(text="<ul><li class='a b'>1</li><li>2</li></ul>")
        found = select.xpath("//li[re:test(text(), '\\d')]")
        yield {
            "re": select.css("li").re(r"\d"),
            "attrib": dict(found[0].attrib),
            "first": select.css("li::text").extract_first(),
            "json": Selector(text='{"a": [1, 2]}', type="json").jmespath("a").getall(),
            "has": bool(select.css("p")),
            "count": select.xpath("count(//li)").get(),
            "set": select.xpath("set:difference(//li, //li[1])/text()").getall(),
            "variables": select.xpath("//li[@class=$c]/text()", c="a b").get(),
        }
