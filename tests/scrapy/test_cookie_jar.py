"""Does a jar that a callback has of its own take a response's cookies, and give them to a request?"""

from __future__ import annotations

from crawler.scrapy.http import Request, Response
from crawler.scrapy.http.cookies import CookieJar


def test_a_jar_takes_the_cookies_of_a_response_and_gives_them_to_a_request() -> None:
    request = Request("https://example.com/in")
    response = Response("https://example.com/in", headers={"Set-Cookie": ["a=1; Path=/", "b=2; Path=/else"]})
    jar = CookieJar()

    jar.extract_cookies(response, request)
    again = Request("https://example.com/")
    jar.add_cookie_header(again)

    assert {cookie.name: cookie.value for cookie in jar} == {"a": "1", "b": "2"}
    assert {cookie.domain for cookie in jar} == {"example.com"}
    assert again.headers["Cookie"] == b"a=1"
    assert len(jar) == 2
