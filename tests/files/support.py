"""Sites, images and crawls that tests of files share."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from crawler import Files, Images, Response, Spider, testing
from tests.engine.virtual import ROOT, crawl

PDF = b"%PDF-1.4 a document"


def picture(mode: str = "RGB", size: tuple[int, int] = (40, 30), kind: str = "JPEG", colour: Any = "red") -> bytes:
    """Return an image of one colour."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


def page_with(*items: dict[str, Any]) -> type[Spider]:
    """Return a spider of one page, whose callback yields copies of these items."""

    class Naming(Spider):
        name = "naming"
        start_urls = [ROOT]

        def parse(self, response: Response) -> Any:
            for item in items:
                yield dict(item)

    return Naming


def run(
    store: Path, site: Any, *items: dict[str, Any], stage: Any = Files, job: Path | None = None, **settings: Any
) -> testing.Result:
    """Crawl a page that yields these items; ``site`` has the files, by URL or by path."""
    if isinstance(site, dict):
        site = {ROOT: "a page", **{url if "//" in url else ROOT + url: page for url, page in site.items()}}
    word = "IMAGES" if issubclass(stage, Images) else "FILES"
    given = {"PIPELINES": [stage], f"{word}_STORE": str(store), "RETRY_ENABLED": False, **settings}
    return crawl(page_with(*items), site, settings=given, job=job)


def only(result: testing.Result, field: str = "files") -> Any:
    """Return what the one item says of its one file."""
    (item,) = result.items
    (found,) = item[field]
    return found


def stored(store: Path) -> set[str]:
    """Return the paths of all files of a store; what came in and was not kept would be among them."""
    return {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()}
