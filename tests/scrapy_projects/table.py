"""Which project uses which module and which setting of Scrapy's? `python -m tests.scrapy_projects.table` prints it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.scrapy.settings import default_settings
from tests.scrapy_projects.running import HERE

FILE = HERE / "TABLE.md"

DOCUMENTED = """
contracts contracts.default crawler cmdline commands downloadermiddlewares.cookies downloadermiddlewares.defaultheaders
downloadermiddlewares.downloadtimeout downloadermiddlewares.httpauth downloadermiddlewares.httpcache
downloadermiddlewares.httpcompression downloadermiddlewares.httpproxy downloadermiddlewares.offsite
downloadermiddlewares.redirect downloadermiddlewares.retry downloadermiddlewares.robotstxt downloadermiddlewares.stats
downloadermiddlewares.useragent dupefilters exceptions exporters extensions.closespider extensions.corestats
extensions.debug extensions.feedexport extensions.httpcache extensions.logcount extensions.logstats extensions.memdebug
extensions.memusage extensions.periodic_log extensions.postprocessing extensions.spiderstate extensions.statsmailer
extensions.telnet extensions.throttle http http.cookies http.headers http.request http.request.form
http.request.json_request http.request.rpc http.response.html http.response.json http.response.text http.response.xml
interfaces item link linkextractors linkextractors.lxmlhtml loader logformatter mail pipelines.files pipelines.images
pipelines.media pqueues resolver responsetypes robotstxt selector selector.unified settings settings.default_settings
shell signalmanager signals spiderloader spidermiddlewares.base spidermiddlewares.depth spidermiddlewares.httperror
spidermiddlewares.metacopy spidermiddlewares.referer spidermiddlewares.start spidermiddlewares.urllength spiders
spiders.crawl spiders.feed spiders.sitemap squeues statscollectors utils.asyncgen utils.asyncio utils.conf
utils.console utils.curl utils.datatypes utils.decorators utils.defer utils.deprecate utils.display utils.gz
utils.httpobj utils.iterators utils.job utils.log utils.misc utils.project utils.python utils.reactor utils.request
utils.response utils.serialize utils.signal utils.sitemap utils.spider utils.template utils.test utils.trackref
utils.url utils.versions
""".split()  # noqa: SIM905 (a word is easier to add so)
"""The modules that Scrapy's documentation names, and those that its users import."""


def settings() -> list[str]:
    """Return the names of Scrapy's settings that a project may set; those that end in _BASE are Scrapy's own."""
    return [name for name in vars(default_settings) if name.isupper() and not name.endswith("_BASE")]


def sources() -> dict[str, str]:
    """Return the code of each project."""
    folders = sorted(path for path in (HERE / "projects").iterdir() if path.is_dir())
    return {folder.name: "\n".join(path.read_text() for path in sorted(folder.rglob("*.py"))) for folder in folders}


def users(what: str, code: dict[str, str]) -> list[str]:
    """Return the projects that use a module ("scrapy.item") or a setting ("BOT_NAME")."""
    pattern = rf"\b{re.escape(what)}\b"
    if what.startswith("scrapy."):
        package, _, name = what.rpartition(".")
        pattern += rf"|from {re.escape(package)} import [^\n]*\b{name}\b"
    return [name for name, text in code.items() if re.search(pattern, text)]


def lines() -> Iterator[str]:
    """Yield the table as Markdown."""
    code = sources()
    yield "# What each project is there for\n"
    yield "Made by `python -m tests.scrapy_projects.table`; a test compares.\n"
    for title, names in (
        ("module", [f"scrapy.{name}" for name in DOCUMENTED]),
        ("setting", sorted(settings())),
    ):
        yield f"| {title} | used by |\n|---|---|"
        for name in names:
            yield f"| `{name}` | {', '.join(users(name, code))} |"
        yield ""


if __name__ == "__main__":
    print("\n".join(lines()))
