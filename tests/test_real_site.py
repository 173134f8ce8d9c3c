"""Does the `site` spider find every page of a real site, each once, as `wget -r` does?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench import nginx, wget
from bench.real_docs import KNOWN, crawl_site

DOCS, INDEX = KNOWN["postgresql-doc-15"]


@pytest.mark.slow
@pytest.mark.skipif(not DOCS.exists(), reason="postgresql-doc-15 is not installed (make system)")
@pytest.mark.skipif(nginx.program() is None, reason="nginx is not installed (make system)")
@pytest.mark.skipif(wget.program() is None, reason="wget is not installed (make system)")
def test_every_reachable_page_of_a_real_site_is_fetched_exactly_once() -> None:
    with nginx.Nginx(DOCS, log=True) as server:
        crawl = crawl_site(server, INDEX)
    with nginx.Nginx(DOCS) as server:
        wanted, _seconds = wget.html_pages(server.url + INDEX)
    assert len(wanted) == 1169
    assert crawl.items == Counter(dict.fromkeys(wanted, 1))
    assert {line for line, count in crawl.asked.items() if count > 1} == set()
    # robots.txt is asked for once, and is not there.
    assert sum(crawl.asked.values()) == len(wanted) + 1
    assert crawl.asked["404 GET /robots.txt"] == 1


@pytest.mark.process
@pytest.mark.skipif(nginx.program() is None, reason="nginx is not installed (make system)")
@pytest.mark.skipif(wget.program() is None, reason="wget is not installed (make system)")
def test_a_made_up_site_with_every_kind_of_link(tmp_path: Path) -> None:
    pages = {
        "index.html": '<title> Home </title><a href="a.html#part">A</a><a href=" b/ ">B</a><a href="gone.html">-</a>',
        "a.html": '<map><area href="/map.html"></map><a href="mailto:x@example.com">m</a><a href="a.html">self</a>',
        "b/index.html": '<base href="/deep/"><a href="c.html">C</a><a href="http://127.0.7.9:1/">elsewhere</a>',
        "deep/c.html": '<a href="../moved">moved</a><a href="data.txt">text</a><a href="javascript:void(0)">j</a>',
        "deep/data.txt": "<a href='never.html'>not HTML</a>",
        "deep/never.html": "nothing links here",
        "map.html": '<link rel="next" href="unlinked.html"><img src="picture.html">',
        "new.html": '<a href="http://[bad/">bad</a><a>no href</a><a href="">empty</a>',
    }
    for name, text in pages.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<!DOCTYPE html>{text}" if name.endswith("html") else text)
    extra = "location = /moved { return 301 /new.html; } location = /start { return 302 /index.html; }"
    with nginx.Nginx(tmp_path, log=True, extra=extra) as server:
        crawl = crawl_site(server, "start")
    with nginx.Nginx(tmp_path, extra=extra) as server:
        wanted, _seconds = wget.html_pages(server.url + "start")
    # wget keeps a redirected page under the name it was asked for by; the spider reports its final URL.
    final = {path.replace("/moved", "/new.html").replace("/start", "/index.html") for path in wanted}
    assert {wget.named_like_wget(path) for path in crawl.items} == final
    assert max(crawl.items.values()) == 1
