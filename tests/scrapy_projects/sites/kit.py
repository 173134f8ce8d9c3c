"""What does a site answer on which tools are tried?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path, to_json


def answer(asked: Asked) -> Answer:
    """Answer a page with links of every kind, or what was sent."""
    if path(asked) == "/page":
        return page(
            "Tools", '<a href=" a b?x=ä&amp;y#f " rel=nofollow> one <b>two</b></a><a href="a%20b">three</a>',
            '<img src="//other.example/i.png"><a href="http://[bad">bad</a><a>none</a><a href="#top">top</a>',
            '<a href="?q=1">q</a><a href="tel:1">tel</a>', head='<base href="/deep/er/">',
        )  # fmt: skip
    return to_json({"body": asked.body.decode(), "kind": asked.headers.get("Content-Type")})
