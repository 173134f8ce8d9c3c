"""What may NOTICES name, and is what is wrong with it said by name before the start?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler.errors import SettingError
from crawler.notices.places import Server, places_of
from tests.notices.support import core, place


def test_each_way_is_read_from_its_urls() -> None:
    mail = place(
        {"to": "mailto:ops@example.com,dev@example.com", "by": "smtp://bot:s%40cret@mail.example", "on": ["end"]}
    )
    assert mail.to == ("ops@example.com", "dev@example.com")
    assert mail.sender == "ops@example.com"
    assert mail.server == Server("mail.example", 587, "bot", "s@cret")
    assert mail.occasions == {"end"}
    assert place({"to": "mailto:a@b.example", "by": "smtps://m.example", "from": "c@b.example"}).server.tls_first
    assert not place({"to": "mailto:a@b.example", "by": "smtp+plain://localhost"}).server.encrypted

    irc = place({"to": "ircs://nick:pw@irc.example:7000/#crawls", "key": "k"})
    assert (irc.to, irc.sender, irc.key) == (("#crawls",), "nick", "k")
    assert irc.server == Server("irc.example", 7000, "nick", "pw", tls_first=True)
    assert place({"to": "irc+plain://nick@irc.example/crawls"}).server == Server(
        "irc.example", 6667, "nick", None, False
    )

    room = place({"to": "xmpp:crawls@rooms.example?join", "by": "xmpp://bot:pw@example.com"})
    assert (room.to, room.room, room.server.host, room.server.port) == (
        ("crawls@rooms.example",),
        True,
        "example.com",
        0,
    )
    assert place({"to": "https://hooks.example/T0/SECRET"}).name == "https://hooks.example/…"


def test_passwords_come_from_where_those_of_stores_do_and_texts_from_the_environment() -> None:
    found = place(
        {"to": "mailto:a@b.example", "by": "smtp://bot@m.example:25"},
        STORE_CREDENTIALS=["smtp://bot:kept@m.example:25"],
    )
    assert found.server.password == "kept"
    hook = places_of([{"to": "$HOOK"}], core(), {"HOOK": "https://hooks.example/SECRET"})[0]
    assert hook.to == ("https://hooks.example/SECRET",)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"to": "ops@example.com"}, 'and none of mailto:ADDRESS'),
        ({"to": "irc://n@irc.example/#c"}, "without TLS it is irc+plain://"),
        ({"to": "mailto:ops@example.com"}, '"by" is missing or wrong: expected smtp://USER:***@HOST'),
        ({"to": "mailto:ops@example.com", "by": "imap://m.example"}, "expected smtp://USER:***@HOST"),
        ({"to": "mailto:a@b.example", "by": "smtp+plain://u:p@m.example"}, "no password is sent without: say smtp://"),
        ({"to": "mailto:a@b.example", "by": "smtp://u@m.example"}, "in STORE_CREDENTIALS as smtp://u:***@m.example"),
        ({"to": "mailto:a@b.example", "by": "smtp://u:***@m.example"}, "a job keeps no passwords"),
        ({"to": "mailto:a@b.example\r\nRCPT TO:<x@y>", "by": "smtp://m.example"}, "is no address of mail"),
        ({"to": "mailto:a@b.example", "from": "a b", "by": "smtp://m.example"}, "'a b' is no address of mail"),
        ({"to": "ircs://irc.example/#c"}, "'' is no nick: it stands before the @"),
        ({"to": "ircs://n@irc.example/#a,b"}, "'#a,b' is no channel"),
        ({"to": "ircs://n@irc.example/#c", "key": "two words"}, '"key", of a channel'),
        ({"to": "ircs://n@irc.example/#c", "from": "me@b.example"}, 'ircs: has no "from"'),
        ({"to": "xmpp:room@r.example?kick", "by": "xmpp://b:p@r.example"}, "?join"),
        ({"to": "xmpp:ops@r.example", "by": "xmpp://b@r.example"}, "has no password"),
        ({"to": "xmpp:no one@r.example", "by": "xmpp://b:p@r.example"}, "no address such as user@example.com"),
        ({"to": "http://hooks.example/x"}, "a hook on another machine is https://"),
        ({"to": "https:///x"}, "a hook is https://HOST/"),
        ({"to": "$NOBODY_SETS_THIS"}, "$NOBODY_SETS_THIS is not set in the environment"),
        ({"to": "https://h.example/", "on": ["always"]}, "'always' is none of what"),
        ({"to": "https://h.example/", "every": 1}, "unknown field `every`"),
        ({"by": "x"}, "missing required field `to`"),
        ({"to": "mailto:a@b.example", "by": "smtp://m.example:99999"}, "Port"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_entry(entry: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingError) as raised:
        places_of([{"to": "https://ok.example/"}, entry], core(), {})
    assert str(raised.value).startswith("NOTICES, entry 2: ")
    assert why in str(raised.value)
