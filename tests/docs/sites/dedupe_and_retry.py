"""Six links to two books, one of which is busy twice."""

from __future__ import annotations

from collections import Counter

from tests.docs.served import Asked

_asked: Counter[str] = Counter()
LINKS = ["/a?visit=1", "/a?visit=2", "/a?utm_source=x", "/b?x=1&y=2", "/b?y=2&x=1", "/b?utm_campaign=s&x=1&y=2"]


def answer(asked: Asked) -> str | int:
    path = asked.path.partition("?")[0]
    if path == "/":
        return "".join(f'<a href="{link}">book</a>'.replace("&", "&amp;") for link in LINKS)
    if path == "/a":
        return "<h1>Atlas</h1>"
    if path == "/b":
        _asked[path] += 1
        return "<h1>Clock</h1>" if _asked[path] > 2 else "<p>Please come back later"
    return 404
