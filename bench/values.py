"""What do the values that every request makes cost, and links beside the page they are on?

    python -m bench.values

Prints microseconds, the least of several runs: following 110 links of a page of 60 kB should cost less
than parsing it.
"""

from __future__ import annotations

from collections.abc import Callable
from timeit import repeat

from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint
from crawler.policy.outcome import Rules, judge

ENTRY = '<div><h3><a href="../../catalogue/item_{0}/index.html">Item {0}</a></h3><p>£{0}</p><p>' + "lorem " * 75
HEADERS = Headers({"Content-Type": "text/html; charset=utf-8"})
RAW = [(b"Content-Type", b"text/html"), (b"Content-Length", b"5000"), (b"Server", b"nginx")]


def cost(function: Callable[[], object], number: int) -> float:
    """Return the least time of several, in µs."""
    return min(repeat(function, number=number, repeat=7)) / number * 1e6


def page() -> Response:
    """Return a page of about 60 kB with 110 links."""
    entries = "".join(ENTRY.format(number) + "</p></div>" for number in range(110))
    body = f"<html><body>{entries}</body></html>".encode()
    return Response("http://127.0.0.1:8080/a/b/c.html", headers=HEADERS, body=body)


def main() -> None:
    """Print a line for each."""
    response = page()
    body, hrefs = response.body, response.css("a::attr(href)").getall()
    url = "http://books.example.com/catalogue/a-light-in-the-attic_1000/index.html"
    request = Request(url)
    small = Response(url, headers=HEADERS, body=b"<p>x</p>" * 500, request=request)
    rows: list[tuple[str, Callable[[], object], int]] = [
        ("parse a page of 60 kB", lambda: Response(url, headers=HEADERS, body=body).selector, 20),
        ("follow its 110 links", lambda: [response.follow(href, print) for href in hrefs], 20),
        ("urljoin its 110 links", lambda: [response.urljoin(href) for href in hrefs], 20),
        ("Request(url, callback)", lambda: Request(url, print), 2000),
        ("Request.to_link", lambda: Request.to_link(url, print), 2000),
        ("fingerprint", lambda: fingerprint(request), 2000),
        ("Headers.from_raw", lambda: Headers.from_raw(RAW), 2000),
        ("Response", lambda: Response(url, headers=HEADERS, body=b""), 2000),
        ("judge a plain page", lambda: judge(request, small, Rules(), wall=0.0, random=float), 2000),
    ]
    for name, function, number in rows:
        print(f"{name:<24} {cost(function, number):8.1f} µs")


if __name__ == "__main__":
    main()
