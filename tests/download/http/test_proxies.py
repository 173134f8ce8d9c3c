"""Does every kind of proxy work, are its credentials for it alone, and is each refusal named?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.download.net.proxy import parse_proxy
from crawler.errors import AddressForbidden, ConnectionLost, FetchTimeout, ProxyError, TLSError
from crawler.model.request import Request
from tests.download.http.certificates import Authority
from tests.download.http.support import Conversation, Server, World, answer
from tests.download.http.test_tls import ServerContext, listen

pytestmark = pytest.mark.process


class Far(Protocol):
    """The proxy's connection to the other side."""

    def __init__(self, near: Any) -> None:
        self.near = near

    def dataReceived(self, data: bytes) -> None:
        self.near.transport.write(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.near.transport.loseConnection()


def join(world: World, near: Conversation, port: int, greeting: bytes) -> None:
    """Connect a conversation to a port and forward from now on."""
    held: list[bytes] = []
    near.dataReceived = held.append  # type: ignore[method-assign]

    def connected(far: Any) -> None:
        near.dataReceived = far.transport.write  # type: ignore[method-assign]
        near.connectionLost = lambda reason=None: far.transport.loseConnection()  # type: ignore[method-assign]
        near.transport.write(greeting)
        for data in held:
            far.transport.write(data)

    factory = Factory.forProtocol(lambda: Far(near))  # type: ignore[arg-type]
    factory.noisy = False
    TCP4ClientEndpoint(world.reactor, "127.0.0.1", port).connect(factory).addCallback(connected)


def connect_proxy(world: World, **options: Any) -> Server:
    def script(near: Conversation) -> None:
        method, authority, _ = near.request.split(b" ", 2)
        assert method == b"CONNECT"
        join(world, near, int(authority.rpartition(b":")[2]), b"HTTP/1.1 200 Connection established\r\n\r\n")

    return world.listen(script, **options)


class Socks(Protocol):
    """A SOCKS5 proxy that knows one login, or none."""

    world: World
    login: bytes = b""
    reply = 0

    def connectionMade(self) -> None:
        self.buffer = b""
        self.asked: bytes = b""
        self.step = "methods"

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        if self.step == "methods" and len(self.buffer) >= 2 + self.buffer[1]:
            methods, self.buffer = self.buffer[2 : 2 + self.buffer[1]], self.buffer[2 + self.buffer[1] :]
            choice = 2 if self.login else 0
            self.transport.write(bytes([5, choice if choice in methods else 255]))
            self.step = "login" if self.login else "request"
        elif self.step == "login":
            right = self.buffer == self.login
            self.buffer = b""
            self.transport.write(b"\x01" + (b"\0" if right else b"\x01"))
            self.step = "request"
        elif self.step == "request":
            type(self).latest = self.buffer
            if self.reply:
                self.transport.write(bytes([5, self.reply, 0, 1]) + b"\0" * 6)
                self.transport.loseConnection()
                return
            port = int.from_bytes(self.buffer[-2:], "big")
            join(self.world, self, port, b"\x05\0\0\x01\x7f\0\0\x01\0\0")  # type: ignore[arg-type]

    latest = b""


def socks(world: World, **attributes: Any) -> tuple[int, Any]:
    kind = type("OneSocks", (Socks,), {"world": world, **attributes})
    factory = Factory.forProtocol(kind)
    factory.noisy = False
    port = world.reactor.listenTCP(0, factory, interface="127.0.0.1")
    world.ports.append(port)
    return port.getHost().port, kind


def fetch(world: World, url: str, proxy: str, **settings: Any) -> Any:
    return world.wait(world.downloader(**settings).fetch(Request(url, proxy=proxy)))


def test_absolute_form_with_credentials(world: World) -> None:
    proxy = world.listen(lambda conversation: conversation.say(answer()))
    response = fetch(world, "http://a_b.example:81/x?y#z", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
    assert response.body == b"hello"
    head = proxy.requests[0]
    assert head.startswith(b"GET http://a_b.example:81/x?y HTTP/1.1\r\nHost: a_b.example:81\r\n")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n" in head


def test_connect(each_world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    origin = listen(each_world, root.server("127.0.0.1"))
    proxy = connect_proxy(each_world)
    downloader = each_world.downloader(TLS_CA_FILE=str(root.file))
    url = f"https://127.0.0.1:{origin.port}/page"
    for _ in range(2):
        request = Request(url, proxy=f"http://me:secret@127.0.0.1:{proxy.port}")
        assert each_world.wait(downloader.fetch(request)).body == b"hello"
    assert len(proxy.requests) == 1, "the tunnel was not kept"
    assert b"Proxy-Authorization: Basic" in proxy.requests[0]
    assert all(b"roxy" not in head and b"secret" not in head for head in origin.requests)
    assert origin.requests[0].startswith(b"GET /page HTTP/1.1\r\n")


def test_credentials_for_the_proxy_may_be_a_header_set_by_hand(world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    origin, tunnel = listen(world, root.server("127.0.0.1")), connect_proxy(world)
    plain = world.listen(lambda conversation: conversation.say(answer()))
    downloader = world.downloader(TLS_CA_FILE=str(root.file))
    by_hand = {"Proxy-Authorization": "Basic bWU6cEBzcw=="}
    for target, proxy in ((f"https://127.0.0.1:{origin.port}/", tunnel), ("http://www.example/", plain)):
        request = Request(target, proxy=f"http://127.0.0.1:{proxy.port}", headers=by_hand)
        assert world.wait(downloader.fetch(request)).body == b"hello"
        assert proxy.requests[0].count(b"\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n") == 1
    assert b"roxy" not in origin.requests[0]


def test_the_origin_behind_a_tunnel_is_verified(world: World, tmp_path: Path) -> None:
    origin = listen(world, Authority(tmp_path).server("127.0.0.1"))
    proxy = connect_proxy(world)
    with pytest.raises(TLSError, match="untrusted root"):
        fetch(world, f"https://127.0.0.1:{origin.port}/", f"http://127.0.0.1:{proxy.port}")
    assert origin.requests == []


def test_proxy_over_tls(world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    context = ServerContext(root.server("127.0.0.1"))
    proxy = connect_proxy(world, wrap=lambda factory: TLSMemoryBIOFactory(context, False, factory, world.reactor))
    origin = listen(world, root.server("127.0.0.1"))
    url, via = f"https://127.0.0.1:{origin.port}/", f"https://127.0.0.1:{proxy.port}"
    assert fetch(world, url, via, TLS_CA_FILE=str(root.file)).body == b"hello"
    with pytest.raises(TLSError, match="untrusted root"):
        fetch(world, url, via, TLS_HOSTS={"elsewhere.example": {"verify": False}})
    assert len(proxy.requests) == 1


def over_tls(world: World, root: Authority, script: Any) -> Server:
    context = ServerContext(root.server("127.0.0.1"))
    return world.listen(script, wrap=lambda factory: TLSMemoryBIOFactory(context, False, factory, world.reactor))


def test_credentials_of_a_proxy_over_tls(world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    tunnel = over_tls(world, root, lambda near: join(world, near, origin.port, b"HTTP/1.1 200 OK\r\n\r\n"))
    plain = over_tls(world, root, lambda near: near.say(answer()))
    origin = listen(world, root.server("127.0.0.1"))
    url = f"https://127.0.0.1:{origin.port}/"
    for target, proxy in ((url, tunnel), ("http://www.example/", plain)):
        via = f"https://me:p%40ss@127.0.0.1:{proxy.port}"
        assert fetch(world, target, via, TLS_CA_FILE=str(root.file)).body == b"hello"
        assert proxy.requests[0].count(b"\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n") == 1
    assert b"roxy" not in origin.requests[0]
    # A proxy that cannot prove who it is hears no password.
    with pytest.raises(TLSError, match=rf"TLS with 127\.0\.0\.1:{tunnel.port}") as caught:
        fetch(world, url, f"https://me:secret@127.0.0.1:{tunnel.port}")
    assert len(tunnel.requests) == 1
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("target", ["http://www.example/", "https://www.example/"])
def test_a_proxy_over_tls_that_refuses_the_credentials(world: World, tmp_path: Path, target: str) -> None:
    root = Authority(tmp_path)
    proxy = over_tls(world, root, lambda near: near.say(answer(status=b"407 No")))
    downloader = world.downloader(TLS_CA_FILE=str(root.file))
    for login, message in (("me:secret@", "refused the credentials"), ("", "wants a user name")):
        with pytest.raises(ProxyError, match=rf"https://127\.0\.0\.1:{proxy.port} {message}") as caught:
            world.wait(downloader.fetch(Request(target, proxy=f"https://{login}127.0.0.1:{proxy.port}")))
        assert "secret" not in str(caught.value)
    # No answer of 407 leaves a connection behind that another request would go out on.
    world.until(lambda: len(proxy.conversations) == 2 and all(each.lost for each in proxy.conversations))
    assert len(proxy.requests) == 2


def test_a_stale_connection_to_a_proxy_over_tls_is_tried_once_more(world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)

    def script(near: Conversation) -> None:
        if len(near.requests) > 1:
            near.transport.abortConnection()  # type: ignore[union-attr]  # TLS over TCP has it
        else:
            near.say(answer())

    proxy = over_tls(world, root, script)
    downloader = world.downloader(TLS_CA_FILE=str(root.file))
    via = f"https://me:secret@127.0.0.1:{proxy.port}"
    for _ in range(2):
        assert world.wait(downloader.fetch(Request("http://www.example/", proxy=via))).body == b"hello"
    assert len(proxy.conversations) == 2
    assert all(b"Proxy-Authorization: Basic" in request for request in proxy.requests)
    with pytest.raises(ConnectionLost):
        world.wait(downloader.fetch(Request("http://www.example/", proxy=via, method="POST")))
    assert len(proxy.conversations) == 2, "a POST was repeated"


def test_credentials_stay_with_their_proxy(world: World) -> None:
    first = world.listen(lambda conversation: conversation.say(answer()))
    second = world.listen(lambda conversation: conversation.say(answer()))
    origin = world.listen(lambda conversation: conversation.say(answer()))
    downloader = world.downloader()
    url = origin.url()
    for proxy in (f"http://me:secret@127.0.0.1:{first.port}", f"http://127.0.0.1:{second.port}", None):
        request = Request(url, headers={"Proxy-Authorization": "Basic b3RoZXI6"} if proxy is None else None)
        if proxy is not None:
            request.meta["proxy"] = proxy
        world.wait(downloader.fetch(request))
    assert b"Proxy-Authorization" in first.requests[0]
    assert b"Authorization" not in second.requests[0]
    assert b"Authorization" not in origin.requests[0]
    assert [len(each.conversations) for each in (first, second, origin)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("says", "message"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants a user name"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "HTTP"),
        (b"HTTP/1.1 200", "closed"),
        (b"", "closed"),
        (b"x" * 70_000, "longer than"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "101 Switching"),
        (b"HTTP/1.1 100 Go on\r\n\r\n" * 5, "closed"),
        (b"HTTP/1.1 503 " + b"no " * 2000 + b"\n\n", r"503 (no ){60}.*characters\)"),
    ],
)
def test_a_proxy_that_refuses_connect(world: World, says: bytes, message: str) -> None:
    proxy = world.listen(lambda conversation: conversation.say(says, close=True))
    with pytest.raises(ProxyError, match=message) as caught:
        fetch(world, "https://www.example/", f"http://127.0.0.1:{proxy.port}")
    assert not caught.value.sent
    assert str(proxy.port) in str(caught.value) or "longer" in message


def test_407_in_absolute_form(world: World) -> None:
    proxy = world.listen(lambda conversation: conversation.say(answer(status=b"407 No")))
    with pytest.raises(ProxyError, match="refused the credentials"):
        fetch(world, "http://www.example/", f"http://me:secret@127.0.0.1:{proxy.port}")


def test_a_dead_proxy_is_named(world: World) -> None:
    port = world.reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    number = port.getHost().port
    world.wait(port.stopListening())
    with pytest.raises(ProxyError, match=rf"http://127\.0\.0\.1:{number} cannot be used") as caught:
        fetch(world, "http://www.example/", f"http://me:secret@127.0.0.1:{number}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest.mark.parametrize("url", ["http://www.example/", "https://www.example/"])
def test_an_error_of_connecting_is_about_the_proxy(world: World, scheme: str, url: str) -> None:
    port = world.reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    number = port.getHost().port
    world.wait(port.stopListening())
    with pytest.raises(ProxyError, match=rf"cannot connect to 127\.0\.0\.1:{number}") as caught:
        fetch(world, url, f"{scheme}://me:secret@127.0.0.1:{number}")
    assert f"{scheme}://127.0.0.1:{number} cannot be used" in str(caught.value)
    assert "example" not in str(caught.value)
    assert not caught.value.sent


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_says_nothing_is_named(world: World, scheme: str) -> None:
    proxy = world.listen(lambda conversation: None)
    via = f"{scheme}://127.0.0.1:{proxy.port}"
    with pytest.raises(FetchTimeout, match=f"through the proxy {via}") as caught:
        fetch(world, "https://www.example/", via, DOWNLOAD_CONNECT_TIMEOUT=0.1)
    assert caught.value.phase == "connect"
    world.until(lambda: all(each.lost for each in proxy.conversations))


def test_a_tunnel_answered_with_lf_alone(world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    origin = listen(world, root.server("127.0.0.1"))
    greeting = b"HTTP/1.0 100 Wait\n\nHTTP/1.0 200 OK\n\n"
    proxy = world.listen(lambda near: join(world, near, origin.port, greeting))
    url, via = f"https://127.0.0.1:{origin.port}/", f"http://127.0.0.1:{proxy.port}"
    assert fetch(world, url, via, TLS_CA_FILE=str(root.file)).body == b"hello"


@pytest.mark.parametrize("text", ["ftp://127.0.0.1:1", "http://", "http://a b/", "socks4://127.0.0.1:1"])
def test_not_a_proxy(world: World, text: str) -> None:
    with pytest.raises(ProxyError, match="not a proxy URL"):
        fetch(world, "http://www.example/", text)


def test_parse_proxy() -> None:
    assert parse_proxy("127.0.0.1:3128").label == "http://127.0.0.1:3128"
    assert parse_proxy("https://u:p@[::1]").label == "https://[::1]:443"
    assert parse_proxy("socks5://localhost").port == 1080


def test_socks(each_world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    secure = listen(each_world, root.server("www.example"))
    plain = each_world.listen(lambda conversation: conversation.say(answer()))
    port, kind = socks(each_world)
    via = f"socks5://127.0.0.1:{port}"
    url = f"https://www.example:{secure.port}/"
    assert fetch(each_world, url, via, TLS_CA_FILE=str(root.file)).body == b"hello"
    assert kind.latest[:4] == b"\x05\x01\0\x03", "the name was not left to the proxy"
    assert b"www.example" in kind.latest
    assert fetch(each_world, plain.url(), via).body == b"hello"
    assert plain.requests[0].startswith(b"GET / HTTP/1.1\r\n")


def test_socks_with_login(world: World) -> None:
    origin = world.listen(lambda conversation: conversation.say(answer()))
    port, _ = socks(world, login=b"\x01\x02me\x06secret")
    assert fetch(world, origin.url(), f"socks5://me:secret@127.0.0.1:{port}").body == b"hello"
    with pytest.raises(ProxyError, match="refused the credentials"):
        fetch(world, origin.url(), f"socks5://me:wrong@127.0.0.1:{port}")
    with pytest.raises(ProxyError, match="wants a user name"):
        fetch(world, origin.url(), f"socks5://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("reply", "message"), [(1, "general failure"), (2, "not allowed"), (4, "unreachable"), (99, "99")]
)
def test_socks_refusals(world: World, reply: int, message: str) -> None:
    port, _ = socks(world, reply=reply)
    with pytest.raises(ProxyError, match=message):
        fetch(world, "http://www.example/", f"socks5://127.0.0.1:{port}")


def test_not_socks(world: World) -> None:
    server = world.listen(lambda conversation: conversation.say(answer()))
    server.protocol = Conversation

    class Blunt(Conversation):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.write(b"HTTP/1.1 400 Bad\r\n\r\n")

    server.buildProtocol = lambda addr: _with(Blunt(), server)  # type: ignore[method-assign]
    with pytest.raises(ProxyError, match="does not speak SOCKS5"):
        fetch(world, "http://www.example/", f"socks5://127.0.0.1:{server.port}")


def _with(conversation: Conversation, server: Server) -> Conversation:
    conversation.server = server
    return conversation


def test_private_targets_are_denied_through_a_proxy_too(world: World) -> None:
    proxy = world.listen(lambda conversation: conversation.say(answer()))
    via = f"http://127.0.0.1:{proxy.port}"
    assert fetch(world, "http://www.example/", via, DENY_PRIVATE_ADDRESSES=True).body == b"hello"
    with pytest.raises(AddressForbidden):
        fetch(world, "http://169.254.169.254/", via, DENY_PRIVATE_ADDRESSES=True)
    # A proxy would take these for itself.
    for name in ("localhost", "LOCALHOST.", "a.localhost"):
        with pytest.raises(AddressForbidden):
            fetch(world, f"http://{name}/", via, DENY_PRIVATE_ADDRESSES=True)
    assert len(proxy.requests) == 1
