"""A site behind two proxies, which are one server here, that shows each visitor three pages."""

from __future__ import annotations

import re
from collections import Counter

from tests.docs.served import Answer, Asked

_seen: Counter[str] = Counter()
_visitors = iter(range(1, 1000))


def replaced(url: str) -> dict[str, str]:
    """Return where the proxies are: the page's own URLs stay, as a proxy is asked for them."""
    return {"http://proxy-1.example:3128": url, "http://proxy-2.example:3128": url.replace("127.0.0.1", "localhost")}


def answer(asked: Asked) -> Answer | int:
    assert asked.path.startswith("http://shop.example/")
    if asked.path.endswith("/robots.txt"):
        return 404
    cookie = re.search(r"visitor=(\w+)", asked.headers.get("Cookie", ""))
    visitor = cookie[1] if cookie else f"v{next(_visitors)}"
    _seen[visitor] += 1
    if _seen[visitor] > 3:
        return 403
    return Answer(f"<b>{visitor}</b>", headers={"Set-Cookie": f"visitor={visitor}; Path=/"})
