"""tinyproxy, squid and microsocks, with and without a login: plain, CONNECT, HTTP/2 through the tunnel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from crawler.errors import ProxyError
from crawler.model.request import Request
from tests.download.http.certificates import Authority
from tests.download.http.support import World
from tests.servers.origins import LARGE, PAGE, Origin
from tests.servers.process import free_port
from tests.servers.proxies import PASSWORD, PROXIES, USER

pytestmark = pytest.mark.slow


class Running(NamedTuple):
    """A proxy that runs: its program, the scheme and place of its URL, whether it wants a login."""

    name: str
    scheme: str
    place: str
    login: bool

    def url(self, who: str = "") -> str:
        return f"{self.scheme}://{who}{self.place}"

    @property
    def right(self) -> str:
        return self.url(f"{USER}:{PASSWORD}@" if self.login else "")


def started(name: str, *, login: bool) -> Iterator[Running]:
    scheme, program = PROXIES[name]
    with program(login=login) as place:
        yield Running(name, scheme, place, login)


@pytest.fixture(scope="module", params=PROXIES)
def locked(request: pytest.FixtureRequest) -> Iterator[Running]:
    """One that wants a login."""
    yield from started(request.param, login=True)


@pytest.fixture(scope="module", params=[(name, login) for name in PROXIES for login in (False, True)], ids=str)
def proxy(request: pytest.FixtureRequest) -> Iterator[Running]:
    name, login = request.param
    yield from started(name, login=login)


@pytest.fixture
def fetch(world: World, authority: Authority) -> Any:
    def fetched(url: str, proxy: str, **settings: Any) -> Any:
        return world.fetch(url, proxy=proxy, settings={"TLS_CA_FILE": str(authority.file), **settings})

    return fetched


def test_plain(fetch: Any, origin: Origin, proxy: Running) -> None:
    page = fetch(f"{origin.plain}/page.html", proxy.right)
    assert (page.status, page.body, page.protocol) == (200, PAGE, "HTTP/1.1")


def test_tunnel(fetch: Any, origin: Origin, proxy: Running) -> None:
    page = fetch(f"{origin.secure}/page.html", proxy.right, HTTP2_ENABLED=False)
    assert (page.status, page.body, page.protocol) == (200, PAGE, "HTTP/1.1")
    large = fetch(f"{origin.secure}/large.bin", proxy.right)
    assert (large.body == LARGE, large.protocol) == (True, "h2")


@pytest.mark.parametrize("who", ["", f"{USER}:wrong@"])
@pytest.mark.parametrize("secure", [False, True])
def test_without_the_login(fetch: Any, origin: Origin, locked: Running, who: str, *, secure: bool) -> None:
    """Each error names the proxy, and none the password."""
    url = f"{origin.secure if secure else origin.plain}/page.html"
    if (locked.name, secure, bool(who)) == ("tinyproxy", False, True):
        # tinyproxy refuses a wrong password with 401, as if it were the origin.
        assert fetch(url, locked.url(who)).status == 401
        return
    with pytest.raises(ProxyError) as caught:
        fetch(url, locked.url(who))
    message = str(caught.value)
    assert locked.place in message
    assert "wrong" not in message
    assert any(words in message for words in ("wants a user name and password", "refused the credentials", "401"))


def test_an_origin_that_is_dead(fetch: Any, proxy: Running) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    with pytest.raises(ProxyError) as caught:
        fetch(f"https://{nobody}/", proxy.right)
    assert proxy.place in str(caught.value)
    assert nobody in str(caught.value)
    assert PASSWORD not in str(caught.value)


class NoLookup:
    """Resolves nothing."""

    def look_up(self, host: str) -> Any:
        raise AssertionError(f"{host} was resolved here")

    def close(self) -> None:
        pass


def test_names_are_resolved_by_the_proxy(world: World, origin: Origin, proxy: Running) -> None:
    url = origin.plain.replace("127.0.0.1", "localhost") + "/page.html"
    downloader = world.downloader(lookup=NoLookup())
    assert world.wait(downloader.fetch(Request(url, proxy=proxy.right))).body == PAGE
