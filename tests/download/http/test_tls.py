"""Is every peer verified that should be, and does each refusal name its cause?"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.defer import succeed
from twisted.internet.ssl import ContextFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.download.net.resolvers import SystemLookup
from crawler.errors import SettingError, TLSError
from crawler.model.request import Request
from tests.download.http.certificates import Authority
from tests.download.http.support import Conversation, Server, World, answer

pytestmark = pytest.mark.process


class ServerContext(ContextFactory):
    def __init__(self, file: Path, *, client_ca: Path | None = None, newest: int | None = None) -> None:
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.use_certificate_chain_file(str(file))
        self.context.use_privatekey_file(str(file))
        self.context.set_session_id(b"test")
        if newest is not None:
            self.context.set_max_proto_version(newest)
            self.context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        if client_ca is not None:
            self.context.load_verify_locations(str(client_ca))
            self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *rest: bool(rest[-1]))

    def getContext(self) -> SSL.Context:
        return self.context


class Resolver(SystemLookup):
    """Every name is here."""

    def ask(self, host: str) -> list[str]:
        return ["127.0.0.1"]


@pytest.fixture
def root(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def listen(world: World, file: Path, script: Callable[[Conversation], None] | None = None, **context: Any) -> Server:
    made = ServerContext(file, **context)
    return world.listen(
        script or (lambda conversation: conversation.say(answer())),
        wrap=lambda factory: TLSMemoryBIOFactory(made, False, factory, world.reactor),
    )


def fetch(world: World, server: Server, root: Authority | None, host: str = "127.0.0.1", **settings: Any) -> Any:
    settings.setdefault("TLS_CA_FILE", str(root.file) if root else None)
    downloader = world.downloader(lookup=Resolver(world.reactor), **settings)
    return world.wait(downloader.fetch(Request(f"https://{host}:{server.port}/")))


def test_good_certificate(each_world: World, root: Authority) -> None:
    server = listen(each_world, root.server("127.0.0.1", "www.example"))
    response = fetch(each_world, server, root)
    assert response.body == b"hello"
    assert "server" in response.certificate.original.to_cryptography().subject.rfc4514_string()
    assert fetch(each_world, server, root, "www.example").body == b"hello"


def test_each_refusal_names_its_cause(world: World, root: Authority, tmp_path: Path) -> None:
    between = Authority(tmp_path, "Between", issuer=root)
    refused = {
        "expired": root.server("127.0.0.1", since=-20, until=-10),
        "not yet valid": root.server("127.0.0.1", since=10),
        "self-signed": root.server("127.0.0.1", self_signed=True),
        "untrusted root": Authority(tmp_path, "Other").server("127.0.0.1"),
        "does not send its whole chain": between.server("127.0.0.1"),
        "not for 127.0.0.1 but for 127.0.0.2": root.server("127.0.0.2"),
        "no name at all": root.server(common_name="127.0.0.1"),
    }
    for cause, file in refused.items():
        server = listen(world, file)
        with pytest.raises(TLSError, match=cause) as caught:
            fetch(world, server, root)
        assert not caught.value.sent
        assert server.requests == []
    whole = listen(world, between.server("127.0.0.1", chain=between.pem()))
    assert fetch(world, whole, root).body == b"hello"


def test_system_roots_do_not_know_ours(world: World, root: Authority) -> None:
    with pytest.raises(TLSError, match="untrusted root"):
        fetch(world, listen(world, root.server("127.0.0.1")), None)


def test_wrong_name(world: World, root: Authority) -> None:
    server = listen(world, root.server("www.example", "*.sub.example"))
    with pytest.raises(TLSError, match=r"not for www.other but for www\.example"):
        fetch(world, server, root, "www.other")
    assert fetch(world, server, root, "a.sub.example").body == b"hello"
    with pytest.raises(TLSError, match="is not for"):
        fetch(world, server, root, "a.b.sub.example")


def test_override_serves_its_host_alone(world: World, root: Authority) -> None:
    server = listen(world, root.server("nobody.example", self_signed=True))
    hosts = {"odd.example": {"verify": False}}
    assert fetch(world, server, None, "odd.example", TLS_HOSTS=hosts).body == b"hello"
    with pytest.raises(TLSError):
        fetch(world, server, None, "www.example", TLS_HOSTS=hosts)
    assert fetch(world, server, None, "www.example", TLS_VERIFY=False).body == b"hello"


def test_client_certificate(world: World, root: Authority) -> None:
    mine = root.server("me.example", common_name="me")
    server = listen(world, root.server("127.0.0.1"), client_ca=root.file)
    options = {"cert_file": str(mine), "ca_file": str(root.file)}
    assert fetch(world, server, None, TLS_HOSTS={"127.0.0.1": options}).body == b"hello"


def test_oldest_version(world: World, root: Authority) -> None:
    server = listen(world, root.server("127.0.0.1"), newest=SSL.TLS1_1_VERSION)
    with pytest.raises(TLSError):
        fetch(world, server, root)
    hosts = {"127.0.0.1": {"min_version": "1.0"}}
    assert fetch(world, server, root, TLS_HOSTS=hosts).body == b"hello"
    with pytest.raises(TLSError):
        fetch(world, listen(world, root.server("127.0.0.1"), newest=SSL.TLS1_2_VERSION), root, TLS_MIN_VERSION="1.3")


def test_session_is_used_again(world: World, root: Authority) -> None:
    keys: list[bytes] = []

    def script(conversation: Conversation) -> None:
        connection: Any = conversation.transport
        keys.append(connection.getHandle().master_key())
        conversation.say(answer(headers=b"Connection: close\r\n"), close=True)

    server = listen(world, root.server("127.0.0.1"), script, newest=SSL.TLS1_2_VERSION)
    downloader = world.downloader(TLS_CA_FILE=str(root.file))
    for _ in range(2):
        world.wait(downloader.fetch(Request(server.url(scheme="https"))))
        world.until(lambda: not len(downloader.pool.deadlines))
    # RFC 5246 section 7.3: a resumed session has the master secret of the first.
    assert keys[0] == keys[1]


def test_a_session_stays_with_its_protocols(world: World, root: Authority) -> None:
    def script(conversation: Conversation) -> None:
        last = b" /last " in conversation.request
        conversation.say(answer(headers=b"Connection: close\r\n" if last else b""), close=last)

    server = listen(world, root.server("127.0.0.1"), script)
    downloader = world.downloader(TLS_CA_FILE=str(root.file))
    # The first connection offers HTTP/2 and ends, leaving its session; the second knows better and is kept.
    fetches = [downloader.fetch(Request(server.url(path, scheme="https"))) for path in ("/last", "/")]
    for fetching in fetches:
        assert world.wait(fetching).body == b"hello"
    world.until(lambda: server.conversations[0].lost and len(downloader.pool) == 1)
    both = [downloader.fetch(Request(server.url(scheme="https"))) for _ in range(2)]
    assert [world.wait(fetching).body for fetching in both] == [b"hello"] * 2
    assert len(server.conversations) == 3


def test_not_tls_at_all(world: World) -> None:
    server = world.listen(lambda conversation: None)
    server.protocol = Conversation
    plain = world.listen(lambda conversation: conversation.say(answer()))
    plain.buildProtocol(None)
    downloader = world.downloader(DOWNLOAD_CONNECT_TIMEOUT=0.3)
    deferred = downloader.fetch(Request(f"https://127.0.0.1:{plain.port}/"))
    world.until(lambda: any(getattr(each, "buffer", b"") for each in plain.conversations))
    plain.conversations[-1].say(answer(), close=True)
    with pytest.raises(TLSError):
        world.wait(deferred)


def test_body_to_the_end_over_tls(world: World, root: Authority) -> None:
    def script(conversation: Conversation) -> None:
        conversation.say(b"HTTP/1.1 200 OK\r\n\r\nhello", close=True)

    assert fetch(world, listen(world, root.server("127.0.0.1"), script), root).body == b"hello"


@pytest.mark.parametrize(
    "hosts",
    [
        {"a.example": {"verfy": False}},
        {"a.example": {"verify": "no"}},
        {"a.example": {"ca_file": "/nowhere.pem"}},
        {"a.example": {"min_version": "1.4"}},
    ],
)
def test_wrong_settings(world: World, hosts: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(SettingError, match="TLS"):
        world.downloader(TLS_HOSTS=hosts)


def test_nothing_is_left(world: World, root: Authority) -> None:
    server = listen(world, root.server("127.0.0.1", self_signed=True))
    downloader = world.downloader()
    for _ in range(3):
        with pytest.raises(TLSError):
            world.wait(downloader.fetch(Request(server.url(scheme="https"))))
    assert downloader.pool.routes == {}
    assert len(downloader.pool.deadlines) == 0
    gc.collect()


def test_the_dot_of_the_root_is_in_no_certificate(world: World, tmp_path: Path) -> None:
    root = Authority(tmp_path)
    server = listen(world, root.server("www.example"))

    class Here:
        def look_up(self, host: str) -> Any:
            return succeed(["127.0.0.1"])

        def close(self) -> None: ...

    downloader = world.downloader(TLS_CA_FILE=str(root.file), lookup=Here())
    assert world.wait(downloader.fetch(Request(f"https://www.example.:{server.port}/"))).body == b"hello"
    with pytest.raises(TLSError, match=r"not for other\.example"):
        world.wait(downloader.fetch(Request(f"https://other.example.:{server.port}/")))
