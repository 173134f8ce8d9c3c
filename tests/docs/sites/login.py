"""Orders behind a form with a token; a visit is good for three pages."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qs

from tests.docs.served import Answer, Asked

TOTALS = ["12.50", "3.00", "7.25", "9.00", "1.50"]
_served: Counter[str] = Counter()
_visits = iter(range(1, 1000))


def answer(asked: Asked) -> Answer | int:
    if asked.path == "/login" and asked.method == "POST":
        given = parse_qs(asked.body.decode())
        if given.get("token") != ["t0ken"] or given.get("password") != ["right"]:
            return form("wrong password")
        return Answer("welcome", headers={"Set-Cookie": f"visit=v{next(_visits)}; Path=/; HttpOnly"})
    if asked.path.startswith("/orders"):
        visit = re.search(r"visit=(v\d+)", asked.headers.get("Cookie", ""))
        _served[visit[1] if visit else ""] += 1
        if visit is None or _served[visit[1]] > 3:
            return form("")
        page = int(asked.path.rpartition("=")[2])
        return Answer(f"<li class=order id=o{page}>{TOTALS[page - 1]}</li>")
    return form("") if asked.path == "/login" else 404


def form(error: str) -> Answer:
    return Answer(f"""<form id=login action=/login method=post><input type=hidden name=token value=t0ken>
        <input name=user><input type=password name=password></form><p class=error>{error}</p>""")
