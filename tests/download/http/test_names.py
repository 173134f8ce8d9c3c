"""Are names resolved by twisted.names, too, and does a server that keeps silent hold nobody else?"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, DeferredList, fail, succeed
from twisted.names import dns
from twisted.names.error import DomainError
from twisted.names.server import DNSServerFactory

from crawler.download.net.resolvers import TwistedLookup
from crawler.errors import NameNotResolved
from crawler.model.request import Request
from tests.download.http.support import Server, World, answer
from tests.download.reactor import LookupBy

pytestmark = pytest.mark.process

ADDRESSES = {
    b"four.example": ["127.0.0.1"],
    b"two.example": ["127.0.0.77", "127.0.0.1"],
    b"both.example": ["::1", "127.0.0.1"],
}


class Zone:
    """What a name server knows; it says nothing about "silent.example"."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, int]] = []

    def query(self, query: Any, timeout: Any = None) -> Deferred[Any]:
        name = query.name.name.lower()
        self.asked.append((name, query.type))
        if name == b"silent.example":
            return Deferred()
        if name not in ADDRESSES:
            return fail(DomainError(f"no {name.decode()} here"))
        payloads = [
            dns.Record_AAAA(address) if ":" in address else dns.Record_A(address) for address in ADDRESSES[name]
        ]
        records = [
            dns.RRHeader(name, payload.TYPE, payload=payload) for payload in payloads if query.type == payload.TYPE
        ]
        return succeed((records, [], []))


class NameServer:
    """A name server on the loopback, in the test's reactor."""

    def __init__(self, world: World) -> None:
        self.zone = Zone()
        factory = DNSServerFactory(clients=[self.zone])
        factory.noisy = False
        self._protocol = dns.DNSDatagramProtocol(factory, reactor=world.reactor)
        self._protocol.noisy = False
        port = world.reactor.listenUDP(0, self._protocol, interface="127.0.0.1")
        port.noisy = False
        world.ports.append(port)
        self.address = ("127.0.0.1", port.getHost().port)


@pytest.fixture
def names(each_world: World) -> NameServer:
    return NameServer(each_world)


@pytest.fixture
def server(each_world: World) -> Server:
    return each_world.listen(lambda conversation: conversation.say(answer()))


def url(name: str, server: Server) -> str:
    return f"http://{name}:{server.port}/"


def test_names_of_a_server(each_world: World, names: NameServer, server: Server) -> None:
    downloader = each_world.downloader(lookup=TwistedLookup(each_world.reactor, servers=[names.address]))
    for name in ("four.example", "two.example", "both.example", "four.example"):
        response = each_world.wait(downloader.fetch(Request(url(name, server))))
        assert (response.body, str(response.ip_address)) == (b"hello", "127.0.0.1")
    assert {kind for name, kind in names.zone.asked if name == b"four.example"} == {dns.A, dns.AAAA}
    assert sum(name == b"four.example" for name, _ in names.zone.asked) == 2, "the second time it is remembered"


def test_no_such_name(each_world: World, names: NameServer, server: Server) -> None:
    downloader = each_world.downloader(lookup=TwistedLookup(each_world.reactor, servers=[names.address]))
    for _ in range(2):
        with pytest.raises(NameNotResolved, match=r"nobody\.example") as caught:
            each_world.wait(downloader.fetch(Request(url("nobody.example", server))))
        assert not caught.value.sent
    assert len(names.zone.asked) == 2, "the failure is remembered"


@pytest.mark.parametrize("kind", ["twisted", "threads"])
def test_a_silent_name_holds_nobody_else(each_world: World, names: NameServer, server: Server, kind: str) -> None:
    from threading import Event

    over = Event()

    def ask(host: str) -> list[str]:
        if host == "silent.example":
            over.wait(10)
        return ["127.0.0.1"]

    lookup: Any = TwistedLookup(each_world.reactor, servers=[names.address])
    if kind == "threads":
        lookup = LookupBy(each_world.reactor, ask)
    downloader = each_world.downloader(lookup=lookup, DNS_TIMEOUT=2.0)
    silent = [downloader.fetch(Request(url("silent.example", server))) for _ in range(20)]
    outcomes: list[Any] = []
    for each in silent:
        each.addErrback(outcomes.append)
    others = [downloader.fetch(Request(url(name, server))) for name in ("four.example", "two.example") * 3]
    answers = each_world.wait(DeferredList(others))
    assert all(success and response.body == b"hello" for success, response in answers)
    assert outcomes == [], "the silent one was waited for"
    each_world.until(lambda: len(outcomes) == 20)
    assert all(failure.check(NameNotResolved) and "DNS_TIMEOUT" in str(failure.value) for failure in outcomes)
    over.set()


def test_the_setting_makes_one(each_world: World) -> None:
    downloader = each_world.downloader(DNS_RESOLVER="twisted")
    assert isinstance(downloader.names.lookup, TwistedLookup)
