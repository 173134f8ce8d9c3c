"""Where is the server of a domain, and what is said of a connection that fails?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, DNSLookupError
from twisted.names.dns import SRV, RRHeader
from twisted.names.dns import Record_SRV as Record
from twisted.names.error import DNSNameError, DNSQueryTimeoutError

from crawler.errors import TLSError
from crawler.notices.network import RealNetwork, not_sent
from crawler.notices.notice import NotSent
from tests.notices.support import MemoryNetwork, Sending, core, place, told


def services(monkeypatch: pytest.MonkeyPatch, answer: Deferred[Any]) -> Any:
    asked: list[str] = []

    def resolver(**_: object) -> Any:
        return SimpleNamespace(lookupService=lambda name, timeout: (asked.append(name), answer)[1])

    monkeypatch.setattr("twisted.names.client.Resolver", resolver)
    outcome: list[Any] = []
    Deferred.fromCoroutine(RealNetwork(None, core()).services("example.com")).addBoth(outcome.append)
    assert asked == ["_xmpp-client._tcp.example.com"]
    return outcome[0]


def records(*targets: tuple[int, int, str]) -> Deferred[Any]:
    headers = [RRHeader(type=SRV, payload=Record(priority, 0, port, name)) for priority, port, name in targets]
    return succeed((headers, [], []))


def test_the_servers_of_a_domain_come_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    found = services(monkeypatch, records((20, 5223, "b.example.com"), (5, 5222, "a.example.com")))
    assert found == [("a.example.com", 5222), ("b.example.com", 5223)]


def test_without_an_answer_it_is_the_domain_itself_and_a_dot_says_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert services(monkeypatch, fail(DNSNameError())) == []
    assert services(monkeypatch, fail(DNSQueryTimeoutError([]))) == []
    assert services(monkeypatch, succeed(([], [], []))) == []
    assert "has no XMPP" in str(services(monkeypatch, records((0, 0, ""))).value)


def test_a_notice_goes_to_the_server_that_the_domain_names(monkeypatch: pytest.MonkeyPatch) -> None:
    network = MemoryNetwork()
    reached: list[tuple[str, int]] = []
    connect = network.connect
    monkeypatch.setattr(
        network,
        "connect",
        lambda server, *more: (reached.append((server.host, server.port)), connect(server, *more))[1],
    )
    to = place({"to": "xmpp:ops@example.com", "by": "xmpp://bot:pw@example.com"})

    async def found(domain: str) -> list[tuple[str, int]]:
        return [(f"chat.{domain}", 5299)]

    Sending(network, to, told())
    monkeypatch.setattr(network, "services", found)
    Sending(network, to, told())
    assert reached == [("example.com", 5222), ("chat.example.com", 5299)]
    assert "to='example.com'" in network.said()


@pytest.mark.parametrize(
    ("error", "said", "again"),
    [
        (NotSent("no"), "no", False),
        (TLSError("the name"), "the name", False),
        (SSL.Error([("SSL routines", "", "bad")]), "TLS failed", True),
        (ConnectionDone(), "the server ended the connection", True),
        (DNSLookupError("no such host"), "no such host", True),
        (RuntimeError("a\nb"), "RuntimeError: a\\nb", True),
    ],
)
def test_what_failed_is_said_in_a_line(error: Exception, said: str, again: bool) -> None:
    made = not_sent(error, None)
    assert said in str(made)
    assert made.again is again
    refused = not_sent(error, SimpleNamespace(problem="the certificate has expired"))
    assert (str(refused), refused.again) == ("the certificate has expired", False)
