"""Three books in a sitemap, which an index names beside another, which robots.txt names."""

from __future__ import annotations

from tests.docs.served import Answer, Asked

BOOKS = {"1": "Atlas", "2": "Clock", "3": "Harbour"}


def answer(asked: Asked) -> Answer | str | int:
    root = f"http://{asked.headers['Host']}"
    if asked.path == "/robots.txt":
        return Answer(f"User-agent: *\nSitemap: {root}/maps.xml\n", headers={"Content-Type": "text/plain"})
    if asked.path == "/maps.xml":
        maps = "".join(f"<sitemap><loc>{root}/{name}.xml</loc></sitemap>" for name in ("books", "authors"))
        return xml(f"<sitemapindex>{maps}</sitemapindex>")
    if asked.path == "/books.xml":
        says = {"1": "<lastmod>2026-01-05</lastmod>", "2": "<lastmod>2026-01-05T10:00:00Z</lastmod>"}
        pages = "".join(f"<url><loc>{root}/book/{number}</loc>{says.get(number, '')}</url>" for number in BOOKS)
        more = f"<url><loc>{root}/about</loc></url><url><loc>{root}/book/9</loc><priority>0.0</priority></url>"
        return xml(f"<urlset>{pages}{more}</urlset>")
    number = asked.path.removeprefix("/book/")
    if number not in BOOKS:
        return 404
    same = asked.headers.get("If-None-Match") == '"1"'
    return Answer("" if same else f"<h1>{BOOKS[number]}</h1>", 304 if same else 200, {"ETag": '"1"'})


def xml(text: str) -> Answer:
    return Answer(text, headers={"Content-Type": "application/xml"})
