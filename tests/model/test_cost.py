"""Do the hot values stay as cheap as the budget in DESIGN needs them?"""

from __future__ import annotations

from collections.abc import Callable
from timeit import repeat

import pytest

from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint


def cost(function: Callable[[], object], number: int) -> float:
    """Return the least time of several, in µs."""
    return min(repeat(function, number=number, repeat=7)) / number * 1e6


@pytest.mark.slow
def test_following_every_link_costs_less_than_parsing_the_page() -> None:
    entry = (
        '<div><h3><a href="../../catalogue/item_{0}/index.html">Item {0}</a></h3><p>£{0}</p><p>'
        + "lorem " * 75
        + "</p></div>"
    )
    body = ("<html><body>" + "".join(entry.format(number) for number in range(110)) + "</body></html>").encode()
    headers = Headers({"Content-Type": "text/html; charset=utf-8"})

    def page() -> Response:
        return Response("http://127.0.0.1:8080/a/b/c.html", headers=headers, body=body)

    response = page()
    hrefs = response.css("a::attr(href)").getall()
    assert len(hrefs) == 110
    assert len(body) > 50_000
    parsing = cost(lambda: page().selector, 20)
    assert cost(lambda: [response.follow(href, print) for href in hrefs], 20) < parsing
    assert cost(lambda: [response.urljoin(href) for href in hrefs], 20) < parsing


@pytest.mark.slow
def test_values_cost_microseconds() -> None:
    # Five times what a quiet machine needs.
    request = Request("http://books.example.com/catalogue/a-light-in-the-attic_1000/index.html")
    raw = [(b"Content-Type", b"text/html"), (b"Content-Length", b"5000"), (b"Server", b"nginx")]
    assert cost(lambda: Request(request.url, print), 2000) < 10
    assert cost(lambda: Request.to_link(request.url, print), 2000) < 6
    assert cost(lambda: fingerprint(request), 2000) < 10
    assert cost(lambda: Headers.from_raw(raw), 2000) < 2
    assert cost(lambda: Response(request.url, headers=Headers.from_raw(raw), body=b""), 2000) < 8
