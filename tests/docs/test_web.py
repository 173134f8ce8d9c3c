"""Does the login of docs/web.md work?"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from crawler import Request, Response, testing
from tests.docs.blocks import load

FORM = """<form id=search action=/find><input name=q></form>
<form id=login action="" method=post><input type=hidden name=token value="{token}">
<input name=user><input type=password name=password><button name=go value=1>Log in</button></form>
<p class=error>{error}</p>"""


class Site:
    """A shop whose orders are behind a login with a token that belongs to a cookie."""

    def __init__(self) -> None:
        self.posts: list[dict[str, list[str]]] = []

    def __call__(self, request: Request) -> Any:
        path = request.url.removeprefix("http://shop.example")
        cookies = (request.headers.get("Cookie") or b"").decode()
        if path == "/login" and request.method == "GET":
            return self.form(request, error="")
        if path == "/login":
            given = parse_qs(request.body.decode())
            self.posts.append(given)
            if given["token"] != ["t0ken&<>"] or "visit=7" not in cookies or given["password"] != ["right"]:
                return self.form(request, error="wrong password")
            headers = {"Location": "/orders", "Set-Cookie": "user=ann; Path=/; HttpOnly"}
            return Response(request.url, 302, headers)
        if path == "/orders" and "user=ann" in cookies:
            return "<ul><li class=order id=o1>12.50</li><li class=order id=o2>3.00</li></ul>"
        return 403

    def form(self, request: Request, *, error: str) -> Response:
        headers = {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "visit=7; Path=/"}
        body = FORM.format(token="t0ken&amp;&lt;&gt;", error=error).encode()
        return Response(request.url, 200, headers, body)


def log_in(password: str) -> tuple[Site, testing.Result]:
    site = Site()
    spider = load("docs/web.md", "spiders/account.py")["Account"]
    settings = {"ROBOTSTXT_OBEY": False}
    return site, testing.crawl(spider, site, settings=settings, arguments={"user": "ann", "password": password})


def test_a_login_with_a_token() -> None:
    site, result = log_in("right")
    assert site.posts == [{"token": ["t0ken&<>"], "user": ["ann"], "password": ["right"], "go": ["1"]}]
    assert result.items == [{"order": "o1", "total": "12.50"}, {"order": "o2", "total": "3.00"}]


def test_a_login_that_is_refused(caplog: Any) -> None:
    _, result = log_in("wrong")
    assert result.items == []
    assert "The login was refused: wrong password" in caplog.text
