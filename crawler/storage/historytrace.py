"""What is known of one URL when its crawl has finished? For `crawler explain`; goes through the pages of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from crawler.frontier.store import Attempt, Refusal
from crawler.model.request import Request
from crawler.storage import history
from crawler.storage.history import Page
from crawler.storage.trace import DEEPEST, Trace
from crawler.storage.values import Values

_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode


class HistoryTraces:
    """What a finished run knows. ``fingerprint`` tells which requests are the same."""

    def __init__(self, path: Path, fingerprint: Callable[[Request], int]) -> None:
        self._run = history.read_run(path)
        self._fingerprint = fingerprint

    def __repr__(self) -> str:
        return f"<HistoryTraces of {self._run.path}>"

    def trace(self, request: Request) -> Trace | None:
        """See Traces. Of a page that did not fail the last attempt is known."""
        wanted = self._fingerprint(request)
        page = next((page for page in history.pages(self._run) if wanted in page.fingerprints), None)
        return None if page is None else self._traced(page)

    def _traced(self, page: Page) -> Trace:
        found_on = page.found_on or next(
            (each.url for each in history.pages(self._run) if each.token == page.parent), ""
        )
        attempts = [Attempt(page.when, page.url, page.status, "")] if page.status else []
        failed = next((each for each in history.failed(self._run) if each.token == page.token), None)
        if failed is not None:
            attempts = [attempt for data in failed.attempts for attempt in _attempts(data)]
        return Trace(
            page.token, page.outcome, page.url, "", 0, found_on, 0.0, page.reason, page.items, page.requests, attempts
        )

    def refusals(self, url: str) -> list[Refusal]:
        """See Traces. They are not kept."""
        return []

    def facts(self, name: str) -> dict[str, Any]:
        """See Traces. Only few are kept."""
        return Values().decode(dict(history.facts(self._run)).get(name, b"\x80"))  # type: ignore[no-any-return]

    def deepest(self) -> int:
        """See Traces."""
        return int(self.facts("stats").get(DEEPEST, 0))
