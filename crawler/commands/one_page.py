"""What does one URL give, fetched as a spider would, and if nothing, why?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.commands.options import BY_ITSELF
from crawler.commands.showing import say
from crawler.config.project import Project
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import HttpError, UsageError
from crawler.events import RequestRefused
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.frames import describe
from crawler.spider import Spider

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase
    from twisted.python.failure import Failure

    from crawler.assembly import PreparedCrawl

ALONE = {
    **{"JOB_STORE": "none", "FEEDS": {}, "PIPELINES": [], "STALL_SECONDS": 0},
    **BY_ITSELF,
    **{name: 0 for name in CoreSettings.__struct_fields__ if name.startswith("CLOSESPIDER_")},
}
"""Settings of a crawl that keeps nothing, no job and no item, looks at no earlier one, and ends by itself."""

_HOST_LIKE = re.compile(r"(?!\w+:[^\d])[\w-]+(\.[\w-]+)*(:\d+)?(/|$)")
"""What looks like an address without its scheme, and not like one of a scheme that is not fetched (mailto:x)."""

_BY_NUMBER = re.compile(r"([\w.-]+\.)?localhost\b|\d+(\.\d+){3}(?![\w.-])")
_PAGE = re.compile(r"[^/:]+\.(html?|xml|json)")


class OnePage(Spider):
    """Fetches one URL and keeps what came of it."""

    name = "fetch"
    url: str
    redirect: bool = True

    def start_requests(self) -> Iterator[Request]:
        """Yield the one request."""
        self.response: Response | None = None
        self.error: BaseException | None = None
        request = Request(self.url, errback=self.failed, dont_filter=True)
        yield request if self.redirect else as_it_comes(request)

    def parse(self, response: Response) -> None:
        """Keep the response."""
        self.response = response

    def failed(self, failure: Failure) -> None:
        """Keep the error, or the response that has a status which spiders do not take."""
        self.error = failure.value
        if isinstance(self.error, HttpError):
            self.response = self.error.response


def as_it_comes(request: Request) -> Request:
    """Return the request as one whose response is wanted though it be a redirect."""
    return request.replace(meta={**request.meta, "handle_httpstatus_all": True, "dont_redirect": True})


def address_of(text: str) -> str:
    """Return what was typed as a URL: a file that is there, or what looks like one, is one of file:."""
    if text.startswith(("./", "../", "/", "~")) or _PAGE.fullmatch(text) or _is_file(text):
        return Path(text).expanduser().resolve().as_uri()
    return with_scheme(text) if _HOST_LIKE.match(text) else text


def with_scheme(text: str) -> str:
    """Return an address that was typed without a scheme as a URL: https, for localhost and IP addresses http.

    Browsers guess so, for what answers at such an address seldom has a certificate for it.
    """
    return f"http://{text}" if _BY_NUMBER.match(text) else f"https://{text}"


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a path may be, as a URL is
        return False


def checked_url(url: str) -> str:
    """Return the URL. Raises UsageError for what is none."""
    if problem := Request(url).problem:
        meant = address_of(url)
        hint = f'; did you mean "{meant}"?' if meant != url else ""
        raise UsageError(f"cannot fetch {url}: {problem}{hint}")
    return url


def fetch_one(
    url: str, project: Project | None, settings: Settings, *, redirect: bool = True
) -> tuple[Response | None, int]:
    """Fetch a URL by a crawl of its own; return the response and 0, or None, having told why, and an exit status.

    Raises UsageError for what is no URL.
    """
    checked_url(url)
    one_page = OnePage if project is None else project.of_its_kind(OnePage)
    from crawler.assembly import prepare, real_world
    from crawler.commands.running import run_prepared

    made: list[PreparedCrawl] = []
    refused: list[RequestRefused] = []

    def prepared(reactor: ReactorBase) -> PreparedCrawl:
        arguments = {"url": url, "redirect": redirect}
        made.append(prepare(one_page, settings, world=real_world(reactor), arguments=arguments))
        made[0].events.subscribe(RequestRefused, refused.append)
        return made[0]

    status = run_prepared(prepared, settings, quiet=True)
    page = made[0].crawler.spider
    assert isinstance(page, OnePage)
    if page.response is not None:
        return page.response, 0
    why = describe(page.error) if page.error is not None else refusal(refused)
    say(f"crawler: no response from {url}: {why}", err=True)
    return None, status or 1


def refusal(refused: list[RequestRefused]) -> str:
    """Say why a request that has no outcome was not sent."""
    if not refused:
        return "the crawl was stopped before one came"
    detail = f": {refused[0].detail}" if refused[0].detail else ""
    return f"the request was refused ({refused[0].reason}{detail})"
