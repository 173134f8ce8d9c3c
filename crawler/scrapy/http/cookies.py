"""How does code read the cookies of a response itself? With a jar of its own; those of the crawl are the crawler's."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from http import cookiejar
from typing import Any
from urllib.request import Request as UrllibRequest


class CookieJar:
    """A jar of the standard library, ``jar``, that takes requests and responses of a crawl."""

    def __init__(self, policy: cookiejar.CookiePolicy | None = None, check_expired_frequency: int = 10_000) -> None:
        self.jar = cookiejar.CookieJar(policy)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jar, name)

    def __len__(self) -> int:
        return len(self.jar)

    def __iter__(self) -> Iterator[cookiejar.Cookie]:
        return iter(self.jar)

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take the cookies that a response sets."""
        self.jar.extract_cookies(_Answer(response), UrllibRequest(request.url))  # type: ignore[arg-type]  # has info()

    def make_cookies(self, response: Any, request: Any) -> Any:
        """Return the cookies that a response sets."""
        return self.jar.make_cookies(_Answer(response), UrllibRequest(request.url))  # type: ignore[arg-type]

    def add_cookie_header(self, request: Any) -> None:
        """Give a request the header Cookie, unless it has one."""
        asked = UrllibRequest(request.url)
        self.jar.add_cookie_header(asked)
        if (value := asked.get_header("Cookie")) and "Cookie" not in request.headers:
            request.headers["Cookie"] = value


class _Answer:
    """A response as the standard library's jar reads it."""

    def __init__(self, response: Any) -> None:
        self._message = Message()
        for value in response.headers.getlist("Set-Cookie"):
            self._message["Set-Cookie"] = value.decode("latin-1") if isinstance(value, bytes) else value

    def info(self) -> Message:
        return self._message
