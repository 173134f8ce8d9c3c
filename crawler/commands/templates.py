"""What do startproject and genspider write?

Templates are texts with ``$name``, as Scrapy's are (``string.Template``). One's own lie in the folder of TEMPLATES_DIR:
``spiders/NAME.tmpl`` for genspider, beside the built-in ones, and ``project/`` for startproject, in the place of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from crawler.errors import UsageError

SETTINGS = '''\
"""How this project crawls. `crawler settings` shows every setting and where its value comes from."""

from pipelines.require_fields import RequireFields

# Tell the sites who you are and where to reach you:
# USER_AGENT = "$project_name (+https://example.com/bot)"

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
"""Crawl $domain."""

from crawler import Spider


class $classname(Spider):
    name = "$name"
    allowed_domains = ["$domain"]
    start_urls = ["$url"]

    def parse(self, response):
        yield {"url": response.url, "title": response.css("title::text").get()}
        # yield from response.follow_all(css="a", callback=self.parse)
'''

CRAWL = '''\
"""Crawl $domain by rules that say which links to follow."""

from crawler import CrawlSpider, LinkExtractor, Rule


class $classname(CrawlSpider):
    name = "$name"
    allowed_domains = ["$domain"]
    start_urls = ["$url"]
    # Every link is followed; to narrow it: LinkExtractor(allow=r"/items/", deny=r"/login")
    rules = [Rule(LinkExtractor(), callback="parse_item", follow=True)]

    def parse_item(self, response):
        yield {"url": response.url, "title": response.css("title::text").get()}
'''

CSV_FEED = '''\
"""Read a CSV file of $domain row by row."""

from crawler import CSVFeedSpider


class $classname(CSVFeedSpider):
    name = "$name"
    allowed_domains = ["$domain"]
    start_urls = ["$url"]
    # delimiter = ";"
    # headers = ["id", "name"]  # if the first row does not have them

    def parse_row(self, response, row):
        yield row
'''

XML_FEED = '''\
"""Read an XML feed of $domain node by node."""

from crawler import XMLFeedSpider


class $classname(XMLFeedSpider):
    name = "$name"
    allowed_domains = ["$domain"]
    start_urls = ["$url"]
    itertag = "item"  # the element that parse_node is called with

    def parse_node(self, response, node):
        yield {"title": node.xpath("title/text()").get(), "link": node.xpath("link/text()").get()}
'''

SPIDERS = {"basic": SPIDER, "crawl": CRAWL, "csvfeed": CSV_FEED, "xmlfeed": XML_FEED}
"""The templates of genspider, by the names that Scrapy has for them."""

GITIGNORE = """\
__pycache__/
.crawler/
"""

PROJECT = {
    "settings.py": SETTINGS,
    "spiders/__init__.py": "",
    "spiders/example.py": EXAMPLE_SPIDER,
    "spiders/example.html": EXAMPLE_PAGE,
    "pipelines/__init__.py": "",
    "pipelines/require_fields.py": PIPELINE,
    ".gitignore": GITIGNORE,
}
"""The files of a new project, by path."""

_SUFFIX = ".tmpl"


def spider_templates(folder: str | None) -> dict[str, str]:
    """Return the templates of genspider by name, one's own first. Raises UsageError."""
    if folder is None:
        return SPIDERS
    own = {path.name.removesuffix(_SUFFIX): _text(path) for path in sorted(_of(folder, "spiders").glob(f"*{_SUFFIX}"))}
    return own | {name: text for name, text in SPIDERS.items() if name not in own}


def project_files(folder: str | None, values: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of a new project by path; of one's own those named ``*.tmpl`` are templates, and paths are too.

    Raises UsageError.
    """
    if folder is None or not (root := _of(folder, "project")).is_dir():
        return {path: filled(text, path, values).encode() for path, text in PROJECT.items()}
    files: dict[str, bytes] = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        name = filled(str(path.relative_to(root)), str(path), values)
        if name.endswith(_SUFFIX):
            files[name.removesuffix(_SUFFIX)] = filled(_text(path), str(path), values).encode()
        else:
            files[name] = path.read_bytes()
    return files


def filled(text: str, where: str, values: Mapping[str, str]) -> str:
    """Return a template with its values. Raises UsageError for a name it has not, and for a $ that begins none."""
    try:
        return Template(text).substitute(values)
    except KeyError as error:
        raise UsageError(f"the template {where} has ${error.args[0]}; there are ${', $'.join(values)}") from error
    except ValueError as error:
        raise UsageError(f"the template {where}: {error}; a $ by itself is written $$") from error


def _of(folder: str, kind: str) -> Path:
    if not Path(folder).is_dir():
        raise UsageError(f"TEMPLATES_DIR: there is no folder {folder}")
    return Path(folder) / kind


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the template {path}: {error}") from error
