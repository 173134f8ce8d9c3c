"""How is a page looked at by hand, in a prompt of Python?

``inspect_response`` opens one in a running crawl; `crawler shell` (commands/shell.py) one on a crawl of its own.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from crawler.events import PromptClosed, PromptOpened
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.shell.browser import open_in_browser
from crawler.shell.prompt import nobody_types, open_prompt
from crawler.spider import Crawler, Spider

logger = logging.getLogger(__name__)

_SHORTCUTS = {
    "fetch": ("fetch(url[, redirect=True])", "fetch a page or a file as a spider would; also fetch(Request(…))"),
    "view": ("view(response)", "look at a page in the browser"),
    "shelp": ("shelp()", "this help"),
}


def inspect_response(response: Response, spider: Spider) -> None:
    """Open a prompt in a callback; the crawl waits until it is left by Ctrl-D. As Scrapy's ``inspect_response``.

    What is in flight meanwhile may time out, and is then tried again. It is for a crawl of one process: a worker of
    ``--workers`` has nobody who types, and goes on.
    """
    if nobody_types():
        logger.warning("inspect_response() is passed over: nobody types here, stdin is %s", os.devnull)
        return
    names = names_at(spider.crawler)
    show(names, response)
    spider.crawler.events.publish(PromptOpened())
    try:
        open_prompt(names, help_of(names) + "Ctrl-D lets the crawl go on.")
    finally:
        spider.crawler.events.publish(PromptClosed())


def names_at(crawler: Crawler) -> dict[str, Any]:
    """Return what a prompt knows by name."""
    names: dict[str, Any] = {"crawler": crawler, "spider": crawler.spider, "settings": crawler.settings}
    names |= {"Request": Request, "request": None, "response": None, "view": open_in_browser}
    names["shelp"] = lambda: print(help_of(names))
    return names


def show(names: dict[str, Any], response: Response | None) -> None:
    """Let a prompt know a response by name, and its request."""
    names["response"] = response
    names["request"] = response.request if response is not None else None


def help_of(names: dict[str, Any]) -> str:
    """Return lines that say what a prompt knows."""
    objects = [f"{name:<10} {names[name]!r:.100}" for name in ("request", "response", "spider", "settings")]
    objects.append(f"{'crawler':<10} <Crawler: stats, events, fetch>")
    calls = [f"{call:<28} {does}" for name, (call, does) in _SHORTCUTS.items() if name in names]
    lines = ["Objects:", *(f"  {line}" for line in objects), "Shortcuts:", *(f"  {line}" for line in calls)]
    return "".join(f"[s] {line}\n" for line in lines)


__all__ = ["help_of", "inspect_response", "names_at", "open_in_browser", "open_prompt", "show"]
