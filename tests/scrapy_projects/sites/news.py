"""What does a paper answer that has sitemaps, and feeds of XML and CSV?"""

from __future__ import annotations

import gzip

from tests.scrapy_projects.sites import Answer, Asked, page, path

XML = {"Content-Type": "application/xml"}


def _urlset(*entries: str) -> str:
    ns = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {ns}>{"".join(entries)}</urlset>'


def _url(place: str, date: str = "", more: str = "") -> str:
    lastmod = f"<lastmod>{date}</lastmod>" if date else ""
    return f"<url><loc> http://press.example{place} </loc>{lastmod}{more}</url>"


ALTERNATE = '<xhtml:link rel="alternate" hreflang="de" href="http://press.example/de/news/2024/b"/>'
NEWS = _urlset(
    _url("/news/2024/a", "2024-05-01"), _url("/news/2024/b", more=ALTERNATE), _url("/news/1999/old", "1999-01-01"),
    _url("/about"), _url("/news/2024/a?x=1&amp;y=2", "2024-05-02T10:00:00+00:00"),
)  # fmt: skip
SPORT = _urlset(_url("/sport/1"), _url("/sport/2", "2021-01-01"), _url("/news/sport"))
INDEX = (
    '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    + "".join(
        f"<sitemap><loc>http://press.example/{name}</loc></sitemap>"
        for name in ("sitemap_news.xml.gz", "sitemap_other.xml")
    )
    + "</sitemapindex>"
)
PAGES: dict[str, Answer] = {
    "/robots.txt": Answer(
        "User-agent: *\nDisallow:\nSitemap: http://press.example/sitemap_sport.xml\nSitemap: /sitemap_index.xml\n",
        200, {"Content-Type": "text/plain"},
    ),
    "/sitemap_index.xml": Answer(INDEX, 200, XML),
    "/sitemap_news.xml.gz": Answer(gzip.compress(NEWS.encode()), 200, {"Content-Type": "application/gzip"}),
    "/sitemap_sport.xml": Answer(SPORT, 200, XML),
    "/feed.xml": Answer(
        (
            '<?xml version="1.0" encoding="iso-8859-1"?><rss><channel>'
            '<item id="1"><name>Föne</name><description>first &amp; best</description><link>/page/1</link></item>'
            '<item id="2"><name><![CDATA[Two]]></name><description>second</description><link>/page/2</link></item>'
            "<item id='3'><name>Three</name><link>http://elsewhere.example/3</link></item></channel></rss>"
        ).encode("iso-8859-1"),
        200, XML,
    ),
    "/ns.xml": Answer(
        '<feed xmlns="http://press.example/ns"><entry id="1" lang="de"><name>a</name><name>b</name></entry>'
        "<entry><name>c</name></entry></feed>", 200, XML,
    ),
    "/feed.csv": Answer(
        "1;'Föne; or not';first\n2;two;\n3;bad\n\n4;'quoted ''four''';last\n", 200, {"Content-Type": "text/csv; charset=utf-8"}
    ),
}  # fmt: skip


def answer(asked: Asked) -> Answer | int:
    """Answer as the paper does."""
    found = PAGES.get(path(asked))
    return page(f"Page {path(asked)}") if found is None and "other" not in path(asked) else found or 404
