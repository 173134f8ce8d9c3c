"""What does a hook get, and what do its answers mean?"""

from __future__ import annotations

import json

import pytest

from crawler.notices.notice import NotSent, notice
from tests.notices.support import NAUGHTY, MemoryNetwork, Sending, place, told

HOOK = "https://hooks.example/T0/SECRET"


def test_what_a_page_says_is_data_and_no_markup_of_a_chat() -> None:
    what = notice("k", "errors", "title", [NAUGHTY, "``` <!channel> <https://evil|click> [x](y) @here"])
    network = MemoryNetwork(200)
    assert Sending(network, place({"to": HOOK}), what).outcome == "sent"

    [(url, body)] = network.posted
    sent = json.loads(body)
    assert url == HOOK
    assert (sent["title"], sent["lines"], sent["about"]) == ("title", list(what.lines), "errors")
    assert (sent["spider"], sent["job"], sent["key"]) == ("shop", "shop-1", "k")
    inside = sent["text"].removeprefix("```\n").removesuffix("\n```")
    assert "`" not in inside
    assert "<" not in inside
    assert "&lt;!channel&gt;" in inside


@pytest.mark.parametrize(("status", "again"), [(302, False), (400, False), (404, False), (429, True), (503, True)])
def test_only_a_2xx_is_taken_for_sent(status: int, again: bool) -> None:
    sending = Sending(MemoryNetwork(status), place({"to": HOOK}), told())
    assert isinstance(sending.outcome, NotSent)
    assert str(sending.outcome).startswith(f"the server answers {status}")
    assert ("redirects are not followed" in str(sending.outcome)) is (status == 302)
    assert sending.outcome.again is again
    assert "SECRET" not in str(sending.outcome)
