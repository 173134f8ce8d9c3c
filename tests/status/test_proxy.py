"""Does the page work behind nginx by the lines of docs/status.md, and is another site refused there, too?"""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from crawler.status.routes import crawl_routes
from crawler.status.server import Place, StatusServer
from crawler.status.streams import Streams
from tests.docs.blocks import ROOT
from tests.download.reactor import reactor, run
from tests.observe.board.made_up import MadeUp
from tests.servers.process import folder, free_port, program, running
from tests.status.sockets import beside, fetch
from tests.status.wire import TOKEN, Reply

pytestmark = pytest.mark.slow

PUBLIC = "status.example.org"
FORM = {"content_type": "application/x-www-form-urlencoded", "host": PUBLIC}
CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
pid {private}/pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {private}/body;
    proxy_temp_path {private}/proxy;
    fastcgi_temp_path {private}/fastcgi;
    uwsgi_temp_path {private}/uwsgi;
    scgi_temp_path {private}/scgi;
    server {{ listen 127.0.0.1:{port}; {documented} }}
}}
"""


@pytest.fixture
def proxied() -> Iterator[int]:
    """The port of nginx before a page that lets itself be steered."""

    async def do(words: str) -> list[str]:
        return [f"did {words}"]

    nginx = program("nginx")
    server = StatusServer(reactor, Place(), token=TOKEN)
    streams = Streams(MadeUp(), server.complaints, reactor)
    server.open(crawl_routes(MadeUp(), streams, do=do))
    found = re.search(r"(?s)```nginx\n(.*?)```", (ROOT / "docs" / "status.md").read_text(encoding="utf-8"))
    assert found is not None
    documented = found[1].replace("8123", server.url.rpartition(":")[2].strip("/"))
    port = free_port()
    user = f"user {getpass.getuser()};" if getpass.getuser() == "root" else ""
    with folder("nginx") as private:
        configuration = private / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(private=private, user=user, port=port, documented=documented))
        with running([nginx, "-e", private / "error.log", "-p", private, "-c", configuration], port, private):
            yield port
    streams.end()
    run(server.close())


def ask(port: int, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Reply:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    return beside(lambda: fetch(connection, path, method, body, **{"host": PUBLIC, **headers}))


def test_the_page_is_read_and_steered_through_the_proxy_and_by_no_other_site(proxied: int) -> None:
    opened = ask(proxied, f"/?token={TOKEN}")
    assert (opened.status, opened.headers["location"]) == (303, "/")
    browser = {"cookie": opened.headers["set-cookie"].partition(";")[0], "sec_fetch_site": "same-origin"}
    page = ask(proxied, "/", **browser).body.decode()
    csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
    form = urlencode({"words": "stop", "csrf": csrf})
    mine = {**FORM, **browser, "origin": f"https://{PUBLIC}"}
    assert ask(proxied, "/do", "POST", form, **mine).values() == {"said": "did stop"}
    foreign = {**mine, "origin": "https://evil.example", "sec_fetch_site": "cross-site"}
    assert ask(proxied, "/do", "POST", form, **foreign).status == 403


def test_events_come_at_once_through_the_proxy(proxied: int) -> None:
    def first() -> bytes:
        connection = HTTPConnection("127.0.0.1", proxied, timeout=10)
        connection.request("GET", "/events", headers={"Authorization": f"Bearer {TOKEN}", "Host": PUBLIC})
        response = connection.getresponse()
        heard = b""
        while b'"now"' not in heard:
            heard += response.read1(65536)
        response.close()
        connection.close()
        return heard

    assert b"event: now\ndata: " in beside(first)
