"""Credentials and proxies, every combination, over real sockets: the whole engine, and servers that note each byte.

Each secret is given for one origin; redirects lead to that, to another port, to the other scheme, to a
sub-domain and to another host. Proxies forward like real ones and note what they are shown.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.model.request import Request
from crawler.spider import Spider
from tests.download.chaos import answer
from tests.download.http.certificates import Authority
from tests.download.http.test_tls import ServerContext
from tests.download.reactor import reactor, run
from tests.security.support import crawl

SECRET = "s3cr3t"
CODED = b64encode(f"user:{SECRET}".encode()).decode()

KINDS: dict[str, dict[str, Any]] = {
    "Authorization": {"headers": {"Authorization": f"Bearer {SECRET}"}},
    "Cookie header": {"headers": {"Cookie": f"id={SECRET}"}, "meta": {"dont_merge_cookies": True}},
    "cookie of the server": {},
    "cookie of the request": {"cookies": {"id": SECRET}},
    "Proxy-Authorization": {"headers": {"Proxy-Authorization": f"Basic {CODED}"}},
    "auth": {"meta": {"auth": ("user", SECRET)}},
    "auth of the settings": {},
    "in the URL": {},
    "custom header": {"headers": {"X-Api-Key": SECRET}, "meta": {"secret_headers": ["X-Api-Key"]}},
}
TARGETS = ("same origin", "other port", "other scheme", "sub-domain", "other host")
WAYS = ("301", "302", "303", "307", "308", "refresh")

SENT_TO_ITS_ORIGIN = ("Authorization", "Cookie header", "auth", "auth of the settings", "custom header")
"""Those that a redirect within the origin keeps; user information belongs to one URL."""
COOKIES = ("cookie of the server", "cookie of the request")
"""Cookies know hosts, not ports and schemes (RFC 6265 section 8.5)."""
SAME_HOST = ("same origin", "other port", "other scheme")


def may_arrive(kind: str, target: str) -> bool:
    """The table: where a secret may be seen after a redirect."""
    if kind in COOKIES:
        return target in SAME_HOST
    return target == "same origin" and kind in SENT_TO_ITS_ORIGIN


class Noted(NamedTuple):
    """A request as it came, at the server of this name."""

    server: str
    path: str
    head: bytes


class Origins:
    """Two plain servers and two of TLS in this process; ``noted`` is what came."""

    def __init__(self, folder: Path) -> None:
        self.noted: list[Noted] = []
        self.redirects: dict[str, str] = {}
        self.authority = Authority(folder)
        self.file = self.authority.server("home.test", "www.home.test", "other.test")
        self._ports: list[Any] = []
        self.first = self._listen("first")
        self.second = self._listen("second")
        self.secure = self._listen("secure", tls=True)
        self.other_secure = self._listen("other secure", tls=True)
        self.home = "http"

    def _listen(self, name: str, *, tls: bool = False) -> int:
        factory: Any = Factory.forProtocol(lambda: _Origin(self, name))
        factory.noisy = False
        if tls:
            factory = TLSMemoryBIOFactory(ServerContext(self.file), False, factory, reactor)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        return int(port.getHost().port)

    def base(self, target: str) -> str:
        plain = self.home == "http"
        port, other, far = (
            (self.first, self.second, self.secure) if plain else (self.secure, self.other_secure, self.first)
        )
        return {
            "same origin": f"{self.home}://home.test:{port}",
            "other port": f"{self.home}://home.test:{other}",
            "other scheme": f"{'https' if plain else 'http'}://home.test:{far}",
            "sub-domain": f"{self.home}://www.home.test:{port}",
            "other host": f"{self.home}://other.test:{port}",
        }[target]

    def at(self, path: str) -> list[bytes]:
        return [each.head for each in self.noted if each.path == path]

    def answer(self, path: str) -> bytes:
        step, _, case = path[1:].partition("/")
        if step != "start":
            return answer(b"<p>end", headers=b"Content-Type: text/html\r\n")
        way, target = case.split("/")[0], self.redirects[case]
        headers = b"Content-Type: text/html\r\n"
        if "cookie-of-the-server" in case:
            headers += f"Set-Cookie: id={SECRET}; Path=/\r\n".encode()
        if way == "refresh":
            body = f'<html><head><meta http-equiv="refresh" content="0; url={target}"></head></html>'
            return answer(body.encode(), headers=headers)
        return answer(b"", status=f"{way} Moved".encode(), headers=headers + f"Location: {target}\r\n".encode())

    def close(self) -> None:
        for port in self._ports:
            run(port.stopListening())


class _Origin(Protocol):
    transport: Any

    def __init__(self, origins: Origins, name: str) -> None:
        self.origins, self.name, self.buffer = origins, name, b""

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            self.origins.noted.append(Noted(self.name, path, head))
            self.transport.write(self.origins.answer(path))


class ForwardProxy:
    """Forwards plain requests and tunnels to 127.0.0.1, as a real one would; ``seen`` is all it was shown.

    ``fails`` times it closes the connection instead.
    """

    def __init__(self, login: str, *, fails: int = 0) -> None:
        self.seen: list[bytes] = []
        self.passed: list[bytes] = []
        self.fails = fails
        factory: Any = Factory.forProtocol(lambda: _Forward(self))
        factory.noisy = False
        self._port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.url = f"http://{login}@127.0.0.1:{self._port.getHost().port}"
        self.coded = b64encode(login.encode())

    def close(self) -> None:
        run(self._port.stopListening())


class _Forward(Protocol):
    transport: Any

    def __init__(self, proxy: ForwardProxy) -> None:
        self.proxy, self.buffer = proxy, b""
        self.far: Any = None
        self.tunnel = False

    def dataReceived(self, data: bytes) -> None:
        if self.tunnel:
            self._onward(data)
            return
        self.buffer += data
        while b"\r\n\r\n" in self.buffer and not self.tunnel:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self._one(head)

    def _one(self, head: bytes) -> None:
        near = self.transport
        self.proxy.seen.append(head)
        if self.proxy.fails:
            self.proxy.fails -= 1
            near.loseConnection()
            return
        method, target, rest = head.split(b" ", 2)
        place = target if method == b"CONNECT" else target.split(b"/")[2]
        if self.far is None:
            self.far = []
            factory = Factory.forProtocol(lambda: _Back(self))
            factory.noisy = False
            port = int(place.rpartition(b":")[2])
            TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(factory).addCallback(self._connected)
        if method == b"CONNECT":
            self.tunnel = True
            near.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            held, self.buffer = self.buffer, b""
            self._onward(held)
        else:
            path = b"/" + target.split(b"/", 3)[3]
            rest = re.sub(rb"(?i)\r\nproxy-authorization:[^\r]*", b"", rest)
            self._onward(b" ".join((method, path, rest)) + b"\r\n\r\n")

    def _connected(self, far: Any) -> None:
        held, self.far = self.far, far
        for data in held:
            far.transport.write(data)

    def _onward(self, data: bytes) -> None:
        self.proxy.passed.append(data)
        if isinstance(self.far, list):
            self.far.append(data)
        else:
            self.far.transport.write(data)

    def connectionLost(self, reason: Any = None) -> None:
        if self.far is not None and not isinstance(self.far, list):
            self.far.transport.loseConnection()


class _Back(Protocol):
    transport: Any

    def __init__(self, near: _Forward) -> None:
        self.near = near

    def dataReceived(self, data: bytes) -> None:
        self.near.transport.write(data)


@pytest.fixture
def origins(tmp_path: Path, outside: None) -> Iterator[Origins]:
    made = Origins(tmp_path)
    yield made
    made.close()


@pytest.fixture
def proxies(outside: None) -> Iterator[list[ForwardProxy]]:
    made = [ForwardProxy("alice:first-password"), ForwardProxy("bob:second-password")]
    yield made
    for each in made:
        each.close()


def crawled(origins: Origins, requests: list[Request], **settings: Any) -> Any:
    class Sender(Spider):
        name = "sender"

        async def start(self) -> Any:
            for request in requests:
                yield request

        def parse(self, response: Any) -> Any:
            yield {"url": response.url}

    given = {
        "ROBOTSTXT_OBEY": False,
        "TLS_CA_FILE": str(origins.authority.file),
        "HTTP_AUTH": {origins.base("same origin"): f"user:{SECRET}"},
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        **settings,
    }
    return crawl(Sender, given, names=lambda name: ["127.0.0.1"])


def request_for(origins: Origins, way: str, kind: str, target: str) -> tuple[str, Request]:
    """A request whose answer leads to the target, and the case's name."""
    case = f"{way}/{kind}/{target}".replace(" ", "-")
    origins.redirects[case] = f"{origins.base(target)}/end/{case}"
    options: dict[str, Any] = {key: dict(value) for key, value in KINDS[kind].items()}
    meta = {"cookiejar": case, **options.pop("meta", {})}
    if kind != "auth of the settings" and "auth" not in meta and kind != "in the URL":
        meta["auth"] = None  # HTTP_AUTH would hide what is looked for
    url = f"{origins.base('same origin')}/start/{case}"
    if kind == "in the URL":
        url = url.replace("//", f"//user:{SECRET}@", 1)
    return case, Request(url, meta=meta, **options)


def has_secret(head: bytes) -> bool:
    return SECRET.encode() in head or CODED.encode() in head


@pytest.mark.parametrize("home", ["http", pytest.param("https", marks=pytest.mark.slow)])
@pytest.mark.parametrize("way", WAYS)
def test_redirects(origins: Origins, way: str, home: str) -> None:
    """9 kinds × 5 targets for each of 6 ways; the first request carries each secret, but for two."""
    origins.home = home
    cases = {(kind, target): request_for(origins, way, kind, target) for kind in KINDS for target in TARGETS}
    found = crawled(origins, [request for _, request in cases.values()])
    assert len(found.items) == len(cases), found.errors
    table = {}
    for (kind, target), (case, _) in cases.items():
        (start,) = origins.at(f"/start/{case}")
        # The server gives its cookie by that answer; Proxy-Authorization is never for an origin.
        assert has_secret(start) is (kind not in ("cookie of the server", "Proxy-Authorization")), (kind, target)
        (end,) = origins.at(f"/end/{case}")
        if kind == "in the URL" and target == "same origin":
            continue  # HTTP_AUTH knows this origin, too
        table[kind, target] = has_secret(end)
    assert table == {each: may_arrive(*each) for each in table}


def test_user_information_is_not_inherited(origins: Origins) -> None:
    """A relative redirect leads to a URL without the user information of the first (Fetch section 4.4)."""
    case, request = request_for(origins, "302", "in the URL", "same origin")
    crawled(origins, [request], HTTP_AUTH={})
    assert has_secret(origins.at(f"/start/{case}")[0])
    assert not has_secret(origins.at(f"/end/{case}")[0])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_retry_through_another_proxy(origins: Origins, proxies: list[ForwardProxy], scheme: str) -> None:
    """Each proxy fails once: every request that it failed goes through the other one."""
    for proxy in proxies:
        proxy.fails = 1
    base = origins.base("other scheme" if scheme == "https" else "same origin")
    login = {"Authorization": f"Bearer {SECRET}", "Cookie": f"id={SECRET}", "X-Api-Key": SECRET}
    requests = [Request(f"{base}/end/{number}", headers=login) for number in range(12)]
    found = crawled(
        origins,
        requests,
        PROXIES=[proxy.url for proxy in proxies],
        RETRY_ENABLED=True,
        RETRY_TIMES=5,
        RETRY_BACKOFF=0,
        CONCURRENT_REQUESTS=4,
    )
    assert len(found.items) == 12, found.errors
    assert all(proxy.seen for proxy in proxies)
    for proxy, other in (proxies, reversed(proxies)):
        for head in proxy.seen:
            assert proxy.coded in head
            assert other.coded not in head
            assert scheme == "http" or not has_secret(head)
        assert all(other.coded not in data and proxy.coded not in data for data in proxy.passed)
    for number in range(12):
        heads = origins.at(f"/end/{number}")
        assert heads
        for head in heads:
            assert has_secret(head)
            assert b"\nproxy-authorization" not in head.lower()
            assert not any(proxy.coded in head for proxy in proxies)


@pytest.mark.parametrize("way", WAYS)
def test_redirects_pick_the_proxy_again(
    origins: Origins, proxies: list[ForwardProxy], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """http_proxy for the first hop, https_proxy for the second, none for what no_proxy names."""
    monkeypatch.setenv("http_proxy", proxies[0].url)
    monkeypatch.setenv("https_proxy", proxies[1].url)
    monkeypatch.setenv("no_proxy", "other.test")
    kinds = ("Authorization", "Proxy-Authorization", "cookie of the request")
    cases = {
        (kind, target): request_for(origins, way, kind, target)
        for kind in kinds
        for target in ("other scheme", "other host")
    }
    found = crawled(origins, [request for _, request in cases.values()], HTTPPROXY_ENABLED=True)
    assert len(found.items) == len(cases), found.errors
    first, second = proxies
    assert {head.split(b" ")[0] for head in first.seen} == {b"GET"}
    assert {head.split(b" ")[0] for head in second.seen} == {b"CONNECT"}
    assert all(first.coded in head and second.coded not in head for head in first.seen)
    assert all(second.coded in head and first.coded not in head for head in second.seen)
    assert not any(has_secret(head) for head in second.seen)
    for noted in origins.noted:
        assert b"\nproxy-authorization" not in noted.head.lower()
        assert not any(proxy.coded in noted.head for proxy in proxies)
    for (kind, target), (case, _) in cases.items():
        assert has_secret(origins.at(f"/end/{case}")[0]) is may_arrive(kind, target), (kind, target)


def test_a_request_that_names_its_proxy(origins: Origins, proxies: list[ForwardProxy]) -> None:
    """meta proxy stays along a redirect, with its own credentials; the pool's stay away from it."""
    case, request = request_for(origins, "302", "Authorization", "other scheme")
    request = request.replace(meta={**request.meta, "proxy": proxies[0].url})
    found = crawled(origins, [request], PROXIES=[proxies[1].url])
    assert len(found.items) == 1, found.errors
    assert proxies[1].seen == []
    assert [head.split(b" ")[0] for head in proxies[0].seen] == [b"GET", b"CONNECT"]
    assert not has_secret(origins.at(f"/end/{case}")[0])
    assert all(proxies[0].coded not in noted.head for noted in origins.noted)
