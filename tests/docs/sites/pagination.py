"""Five books, listed in four ways."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from tests.docs.served import Answer, Asked

TITLES = ["Atlas", "Clock", "Harbour", "Ledger", "River"]


def answer(asked: Asked) -> Answer | str | int:
    url = urlsplit(asked.path)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/list":
        number = int(query.get("page", 1))
        more = f'<a rel=next href="?page={number + 1}">next</a>' if number < 3 else ""
        return "".join(f"<h3>{title}</h3>" for title in page(number)) + f"<p class=pages>{number} of 3</p>" + more
    if url.path == "/api":
        return rows({"rows": page(int(query["offset"]) // 2 + 1)})
    if url.path == "/feed":
        number = int(query.get("cursor", "c1")[1:])
        return rows({"rows": page(number), "next": f"c{number + 1}" if number < 3 else None})
    return 404


def page(number: int) -> list[str]:
    return TITLES[2 * number - 2 : 2 * number]


def rows(found: dict[str, object]) -> Answer:
    titles = found["rows"]
    assert isinstance(titles, list)
    found["rows"] = [{"title": title} for title in titles]
    return Answer(json.dumps(found), headers={"Content-Type": "application/json"})
