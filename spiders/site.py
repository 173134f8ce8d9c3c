"""Which pages does a site have?

A lesson in following every link without leaving the site. One item for each HTML page that can be
reached from the start page by links, and where it was found first.

    crawler crawl site -a url=https://docs.example/ -O pages.jsonl
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from crawler import Request, Response, Spider

REFRESH = '//meta[re:test(@http-equiv, "^refresh$", "i")][not(ancestor::noscript)]/@content'


class Site(Spider):
    """Walk one site: the origin (scheme, host and port) at which the start page was found in the end."""

    name = "site"
    # A page that sends its reader on is a page like any other: it has its item, and leads on by one more link.
    custom_settings = {"METAREFRESH_ENABLED": False}
    url: str  # required: no value here, so `-a url=…` must give one

    async def start(self) -> AsyncIterator[Request]:
        """Begin at the page that was asked for; a redirect from it decides which site is walked."""
        yield Request(self.url)

    def parse(self, response: Response, origin: str = "", found_on: str = "") -> Iterator[dict[str, Any] | Request]:
        """Report a page and follow its links to pages of the same origin.

        The origin travels in cb_kwargs rather than on the spider, so that it is there after a resume.
        """
        assert response.request is not None  # only a response made by hand has none
        here = response.request.origin
        if not response.is_html or here != (origin or here):  # a picture, or a redirect that led away
            return
        yield {
            "url": response.url,
            "status": response.status,
            "title": response.css("title::text").get(default="").strip(),
            "depth": response.meta.get("depth", 0),
            "found_on": found_on or None,
        }
        if target := response.xpath(REFRESH).re_first(r"(?i)url\s*=\s*[\"']?([^\"']+)"):
            request = response.follow(target, self.parse, cb_kwargs={"origin": origin, "found_on": response.url})
            if not origin or request.origin == here:  # that of the start page decides which site is walked
                yield request
        links = response.css("a::attr(href), area::attr(href)").getall()
        # Long pages name the same few pages many times, at other places in them.
        for link in dict.fromkeys(link.partition("#")[0] for link in links):
            request = response.follow(link, self.parse, cb_kwargs={"origin": here, "found_on": response.url})
            if request.origin == here:
                yield request
