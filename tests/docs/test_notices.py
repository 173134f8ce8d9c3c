"""Is what docs/notices.md shows taken, and is it what the code says?"""

from __future__ import annotations

import re

from crawler.notices.places import places_of
from crawler.notices.rules import Rules, rules_of
from tests.docs.blocks import ROOT, load
from tests.notices.support import core

PAGE = (ROOT / "docs/notices.md").read_text(encoding="utf-8")


def test_the_places_are_taken_with_the_passwords_where_the_page_says() -> None:
    entries = load("docs/notices.md", "settings.py")["NOTICES"]
    [kept] = re.findall(r'STORE_CREDENTIALS="([^"]+)"', PAGE)
    environment = {"CRAWL_HOOK": "https://hooks.example.com/T0/B0"}
    places = places_of(entries, core(STORE_CREDENTIALS=kept.split()), environment)
    assert [place.kind for place in places] == ["mail", "irc", "xmpp", "xmpp", "hook"]
    assert places[0].server.password == places[2].server.password == "PASSWORD"


def test_the_rules_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert {name: float(default) for name, default in rows} == {
        name: float(getattr(Rules(), name)) for name in Rules.__struct_fields__
    }
    [changed] = re.findall(r"NOTICE_RULES = (\{.+?\})", PAGE)
    assert rules_of(eval(changed)) == Rules(nothing_seconds=None, errors_above=0.2)  # noqa: S307 - our own page
