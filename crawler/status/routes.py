"""What is answered of one crawl? Its page, what is shown of it as JSON, its events, and what may be done to it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from crawler.errors import UsageError
from crawler.observe.board.source import Source
from crawler.status.asked import Answer, Asked, Refused, Route, Routes
from crawler.status.pages import page_file, whole_page
from crawler.status.streams import PARTS, Streams, now_of

Do = Callable[[str], Coroutine[Any, Any, list[str]]]
"""What does a line of words to the crawl, and gives what is to be said of it. Raises UsageError."""

METRICS = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""


def crawl_routes(
    source: Source, streams: Streams | None, *, do: Do | None = None, metrics: Callable[[], bytes] | None = None
) -> Routes:
    """Return the routes of one crawl. None for ``streams``, ``do`` and ``metrics``: it has none, and is shown only."""
    parts: dict[str, Callable[[], Any]] = {name: getattr(source, name) for name in ("series", *PARTS)}
    parts["now"] = lambda: now_of(source, control=do is not None)

    def found(path: str) -> Route | None:
        match path[1:].split("/"):
            case [""]:
                return whole_page("index.html")
            case ["static", name]:
                return page_file(name)
            case ["api", "hosts"]:
                return Route(lambda asked: _hosts(source, asked))
            case ["api", name] if name in parts:
                return Route(lambda asked: parts[name]())
            case ["events"] if streams is not None:
                return Route(streams.open)
            case ["do"]:
                return Route(lambda asked: _do(do, asked), ("POST",))
            case ["metrics"] if metrics is not None:
                return Route(lambda asked: Answer(metrics(), METRICS))
        return None

    return found


def _hosts(source: Source, asked: Asked) -> Any:
    query = asked.query
    page = query.get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) < 10):
        raise Refused(400, f'page is a number from 1, not "{page[:20]}"')
    try:
        return source.hosts(
            int(page),
            query.get("sort", "queued"),
            descending=query.get("desc", "1") not in ("0", "false", ""),
            containing=query.get("filter", ""),
        )
    except UsageError as error:
        raise Refused(400, str(error)) from None


async def _do(do: Do | None, asked: Asked) -> dict[str, str]:
    if do is None:
        raise Refused(
            403,
            "this page only shows the crawl: start it with --status-control for it to be steered from here",
            kind="an action, as the page only shows",
        )
    try:
        return {"said": "\n".join(await do(asked.form.get("words", "")))}
    except UsageError as error:
        raise Refused(400, str(error)) from None
