"""Does docs/steering.md list what may be changed while a crawl runs, and does its example work?"""

from __future__ import annotations

from crawler import Request, SettingChanged, Spider, testing
from crawler.steering.settings import LIVE
from tests.docs.blocks import ROOT, load

DOCUMENT = "docs/steering.md"


def test_the_table_has_every_setting_that_may_be_changed() -> None:
    rows = [f"| `{name}` | {live.what} | {'yes' if live.of_host else 'no'} |" for name, live in LIVE.items()]
    assert "\n".join(rows) in (ROOT / DOCUMENT).read_text(encoding="utf-8")


class Numbers(Spider):
    name = "numbers"
    start_urls = [f"http://shop.example/{number}" for number in range(6)]

    def parse(self, response: object) -> None:
        """Take nothing."""


def test_the_extension_slows_down_for_a_host_that_forbids_pages() -> None:
    def site(request: Request) -> testing.Page:
        return 403 if request.url.endswith("/2") else "x"

    settings = {
        "EXTENSIONS": [load(DOCUMENT, "extensions.py")["Careful"]],
        "ROBOTSTXT_OBEY": False,
        "CONCURRENT_REQUESTS": 1,
        "RANDOMIZE_DOWNLOAD_DELAY": False,
    }
    result = testing.crawl(Numbers, site, settings=settings)
    assert [round(sent.when) for sent in result.sent] == [0, 0, 0, 30, 60, 90]
    assert [(event.host, event.value, event.who) for event in result.happened(SettingChanged)] == [
        ("shop.example", 30.0, "Careful")
    ]
