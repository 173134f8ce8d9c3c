"""What do the tests of the page have in common? A real browser, and what its pages complained of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.process import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[3]

Opened = Callable[..., "Page"]
"""Opens a page in a window of its own; ``width``, ``height`` and ``color_scheme`` are as the test wants them."""


@pytest.fixture(scope="module")
def chromium(outside: None) -> Iterator[Browser]:
    """Debian's chromium, without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra dev)")
    path = program("chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has logged as an error, and exceptions of the page's; empty at the end, or the test fails."""
    return []


@pytest.fixture
def opened(chromium: Browser, complaints: list[str]) -> Iterator[Opened]:
    contexts = []

    def note(kind: str, text: str) -> None:
        # What the browser says of its own accord: an action was refused, and the icon could not be read once more.
        by_itself = ("400 (Bad Request)" in text and text.endswith("/do")) or text.endswith("icon.svg")
        if kind in ("error", "warning") and not by_itself:
            complaints.append(text)

    def open_page(url: str, *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: note(said.type, f"{said.text} {said.location.get('url')}"))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@contextmanager
def made_up(*arguments: str) -> Iterator[str]:
    """Serve the page of a crawl that is none; gives the address, with the token."""
    command = [sys.executable, "-m", "tests.status.serve", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def page_url(outside: None) -> Iterator[str]:
    """The page of a made-up crawl with 20,000 hosts and hostile texts."""
    with made_up("20000") as url:
        yield url
