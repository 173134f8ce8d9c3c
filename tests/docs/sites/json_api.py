"""Books by an API; a token is good for four requests."""

from __future__ import annotations

import json
import re
from collections import Counter

from tests.docs.served import Answer, Asked

_used: Counter[str] = Counter()
_tokens = iter(range(1, 1000))


def answer(asked: Asked) -> Answer | int:
    if asked.path == "/robots.txt":
        return 404
    if asked.path == "/token":
        right = asked.body == b"client=reader&secret=s3cret"
        return told({"access_token": f"t{next(_tokens)}"}) if right else 403
    host = asked.headers["Host"]
    if host.startswith("localhost"):  # another origin, which would not take one that has a token
        return 400 if "Authorization" in asked.headers else book("clocks-2")
    token = re.fullmatch(r"Bearer (t\d+)", asked.headers.get("Authorization", ""))
    if token is None or _used[token[1]] >= 4:
        return 401
    _used[token[1]] += 1
    if asked.path == "/search":
        return told({"books": [f"{json.loads(asked.body)['category']}-{number}" for number in (1, 2)]})
    if asked.path.endswith("clocks-2"):
        return Answer("", 302, {"Location": f"http://localhost:{host.partition(':')[2]}{asked.path}"})
    return book(asked.path.rpartition("/")[2])


def book(name: str) -> Answer:
    kind, _, number = name.partition("-")
    return told(
        {"title": f"{'Atlas' if kind == 'maps' else 'Clock'} {number}", "shelves": [{"count": 1}, {"count": 2}]}
    )


def told(values: object) -> Answer:
    return Answer(json.dumps(values), headers={"Content-Type": "application/json"})
