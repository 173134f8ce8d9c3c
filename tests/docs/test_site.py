"""Can the documents be built as a site, without a warning, and does every link in it lead somewhere?"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html

import crawler
from tests.docs.blocks import ROOT


def dead_links(folder: Path) -> Iterator[str]:
    """Yield the links in the pages of a folder that lead to no file or to no place in it."""
    pages = {page: html.parse(page).getroot() for page in folder.rglob("*.html")}
    places = {page: set(root.xpath("//@id | //a/@name")) for page, root in pages.items()}
    for page, root in pages.items():
        for link in root.xpath("//a/@href | //link/@href | //img/@src | //script/@src"):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or page.name == "404.html":  # which is shown at any path
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            missing = parts.fragment and not parts.fragment.startswith("__") and target in places
            if not target.exists() or (missing and unquote(parts.fragment) not in places[target]):
                yield f"{page.relative_to(folder)}: {link}"


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<a href=b.html#x></a><a href=b.html#y></a><a href=c.html></a><a href=#z></a>")
    (tmp_path / "b.html").write_text("<p id=x><a href=https://c.example/></a>")
    assert list(dead_links(tmp_path)) == ["a.html: b.html#y", "a.html: c.html", "a.html: #z"]


@pytest.mark.slow
@pytest.mark.spread
def test_the_documents_are_a_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    built = subprocess.run(
        ["make", "--silent", "docs", f"SITE={site}"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    assert list(dead_links(site)) == []
    described = {place for page in (site / "api").glob("*.html") for place in html.parse(page).xpath("//@id")}
    missing = [name for name in crawler.__all__ if f"crawler.{name}" not in described]
    assert missing == ["__version__", "signals"]  # a text and a module
