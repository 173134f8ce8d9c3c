"""What do startproject and genspider write?"""

from __future__ import annotations

SETTINGS = '''\
"""How this project crawls. `crawler settings` shows every setting and where its value comes from."""

from pipelines.require_fields import RequireFields

# Tell the sites who you are and where to reach you:
# USER_AGENT = "{name} (+https://example.com/bot)"

# One request a second to each site, one at a time. Ask for more where you know that it is welcome.
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 1.0

# What every item goes through, in order.
PIPELINES = [RequireFields]
'''

PIPELINE = '''\
"""Drop items that lack a field."""

from crawler import DropItem, Pipeline


class RequireFields(Pipeline):
    # Upper case with a type: a setting, to be set in settings.py, in a spider's custom_settings as the example
    # does, or by -s REQUIRED_FIELDS=text,author
    REQUIRED_FIELDS: list[str] = []

    def process_item(self, item):
        missing = [field for field in self.REQUIRED_FIELDS if item.get(field) in (None, "", [])]
        if missing:
            raise DropItem(f"lacks {', '.join(missing)}")
        return item
'''

EXAMPLE_SPIDER = '''\
"""Read the sayings of a page that lies beside this file, so that it runs without the internet.

    crawler crawl example -O sayings.jsonl
    crawler crawl example -a tag=time -o -

For a site of yours: crawler genspider NAME URL
"""

from pathlib import Path

from crawler import Spider


class Example(Spider):
    name = "example"
    start_urls = [Path(__file__).with_name("example.html").as_uri()]
    custom_settings = {"REQUIRED_FIELDS": ["text"]}  # pipelines/require_fields.py drops what has none
    tag: str = ""  # an argument: -a tag=time

    def parse(self, response):
        for saying in response.css("div.saying"):
            tags = saying.css("a.tag::text").getall()
            if not self.tag or self.tag in tags:
                yield {
                    "text": saying.css("p::text").get(),
                    "author": saying.css("cite::text").get(),
                    "tags": tags,
                }
'''

EXAMPLE_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Sayings</title>
<div class="saying">
  <p>A stitch in time saves nine.</p> <cite>Proverb</cite>
  <a class="tag" href="#time">time</a> <a class="tag" href="#care">care</a>
</div>
<div class="saying">
  <p>Haste makes waste.</p> <cite>Proverb</cite>
  <a class="tag" href="#time">time</a>
</div>
<div class="saying">
  <p>Still waters run deep.</p> <cite>Proverb</cite>
  <a class="tag" href="#people">people</a>
</div>
</html>
"""

SPIDER = '''\
"""Crawl {host}."""

from crawler import Spider


class {class_name}(Spider):
    name = "{name}"
    allowed_domains = ["{host}"]
    start_urls = ["{url}"]

    def parse(self, response):
        yield {{"url": response.url, "title": response.css("title::text").get()}}
        # yield from response.follow_all(css="a", callback=self.parse)
'''

CRAWL = '''\
"""Crawl {host} by rules that say which links to follow."""

from crawler import CrawlSpider, LinkExtractor, Rule


class {class_name}(CrawlSpider):
    name = "{name}"
    allowed_domains = ["{host}"]
    start_urls = ["{url}"]
    # Every link is followed; to narrow it: LinkExtractor(allow=r"/items/", deny=r"/login")
    rules = [Rule(LinkExtractor(), callback="parse_item", follow=True)]

    def parse_item(self, response):
        yield {{"url": response.url, "title": response.css("title::text").get()}}
'''

CSV_FEED = '''\
"""Read a CSV file of {host} row by row."""

from crawler import CSVFeedSpider


class {class_name}(CSVFeedSpider):
    name = "{name}"
    allowed_domains = ["{host}"]
    start_urls = ["{url}"]
    # delimiter = ";"
    # headers = ["id", "name"]  # if the first row does not have them

    def parse_row(self, response, row):
        yield row
'''

XML_FEED = '''\
"""Read an XML feed of {host} node by node."""

from crawler import XMLFeedSpider


class {class_name}(XMLFeedSpider):
    name = "{name}"
    allowed_domains = ["{host}"]
    start_urls = ["{url}"]
    itertag = "item"  # the element that parse_node is called with

    def parse_node(self, response, node):
        yield {{"title": node.xpath("title/text()").get(), "link": node.xpath("link/text()").get()}}
'''

SPIDERS = {"basic": SPIDER, "crawl": CRAWL, "csvfeed": CSV_FEED, "xmlfeed": XML_FEED}
"""The templates of genspider, by the names that Scrapy has for them."""

GITIGNORE = """\
__pycache__/
.crawler/
"""
