"""Is a webhook told of a crawl that a command runs, and of what is nothing of its business not?"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crawler.commands.options import RunOptions, remember
from crawler.storage.history import runs
from crawler.storage.jobs import list_jobs
from tests.commands.conftest import Crawler, Site
from tests.download.http.certificates import Authority

pytestmark = pytest.mark.process

SPIDER = """\
from crawler import Spider


class Shop(Spider):
    name = "shop"
    start_urls = ["http://127.0.0.1:9/"]
    custom_settings = {"ROBOTSTXT_OBEY": False, "RETRY_ENABLED": False, "FAIL_ON": ["none"]}
"""


class Hook(ThreadingHTTPServer):
    """Takes what is posted; answers with ``status``."""

    daemon_threads = True
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Posted)
        self.posted: list[tuple[str, dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def places(self, scheme: str = "http") -> str:
        return json.dumps([{"to": f"{scheme}://127.0.0.1:{self.server_address[1]}/T0/SECRET", "on": ["end"]}])

    def handle_error(self, *args: object) -> None:
        """A certificate was refused."""


class _Posted(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def spider(folder: Path) -> None:
    (folder / "shop.py").write_text(SPIDER)


def test_a_hook_hears_of_the_end_and_nobody_of_its_address(crawler: Crawler, folder: Path, hook: Hook) -> None:
    ran = crawler("run", "shop.py", "-s", f"NOTICES={hook.places()}", "-L", "DEBUG")
    assert ran.status == 0
    [(path, told)] = hook.posted
    assert path == "/T0/SECRET"
    assert told["title"].startswith("shop: done after ")
    assert "1 × ConnectionFailed" in told["lines"]
    assert "SECRET" not in ran.err + ran.out
    [kept] = runs(folder / ".crawler" / "jobs")
    assert kept.withheld == ["settings:NOTICES"]
    assert "NOTICES" not in kept.description["command"]["settings"]


def test_a_redirect_is_not_followed_and_said_once(crawler: Crawler, hook: Hook) -> None:
    hook.status = 307
    ran = crawler("run", "shop.py", "-s", f"NOTICES={hook.places()}")
    assert ran.status == 0
    assert [path for path, _ in hook.posted] == ["/T0/SECRET"]
    assert ran.err.count("the server answers 307; redirects are not followed") == 1
    assert "SECRET" not in ran.err


def test_a_certificate_is_verified_though_those_of_pages_are_not(crawler: Crawler, hook: Hook, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server("127.0.0.1"))
    hook.socket = context.wrap_socket(hook.socket, server_side=True)
    given = ["run", "shop.py", "-s", f"NOTICES={hook.places('https')}", "-s", "TLS_VERIFY=false"]
    refused = crawler(*given, "-s", "NOTICE_RULES={}")
    assert hook.posted == []
    assert "the issuer is unknown: untrusted root" in refused.err
    assert crawler(*given, "-s", f"TLS_CA_FILE={authority.file}").status == 0
    assert len(hook.posted) == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ('NOTICES=[{"to": "ops@example.com"}]', "NOTICES, entry 1: \"to\" is 'ops@example.com', and none of mailto:"),
        ("NOTICES=ops@example.com", "NOTICES"),
        ('NOTICE_RULES={"errors": 1}', 'NOTICE_RULES: there is no rule "errors"; did you mean "errors_least"?'),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(crawler: Crawler, folder: Path, given: str, why: str) -> None:
    places = [] if given.startswith("NOTICES") else ["-s", 'NOTICES=[{"to": "https://hooks.example/"}]']
    ran = crawler("run", "shop.py", *places, "-s", given)
    assert ran.status == 2
    assert why in ran.err
    assert list_jobs(folder / ".crawler" / "jobs") == []


def test_a_job_keeps_no_password_of_who_takes_notices() -> None:
    typed = '[{"to": "mailto:a@b.example", "by": "smtp://u:secret@m.example"}]'
    kept = remember("shop", RunOptions({"NOTICES": typed}, {}, None), file=None)
    assert kept["command"]["settings"] == {"NOTICES": [{"to": "mailto:a@b.example", "by": "smtp://u:***@m.example"}]}


CHAIN = """\
from crawler import Spider


class Chain(Spider):
    name = "chain"
    start_urls = ["{url}"]
    custom_settings = {{"ROBOTSTXT_OBEY": False, "DOWNLOAD_DELAY": 0.1, "FAIL_ON": ["none"]}}

    def parse(self, response):
        yield from response.follow_all(css="a")
        raise ValueError("on every page")
"""


@pytest.mark.slow
def test_of_many_workers_the_starter_tells_once_also_when_the_job_goes_on(
    process: Crawler, folder: Path, hook: Hook, site: Site
) -> None:
    site.pages = 8
    (folder / "chain.py").write_text(CHAIN.format(url=site.url))
    places = hook.places().replace('["end"]', '["end", "errors"]')
    given = ["run", "chain.py", "--workers", "2", "--job", "c", "-s", f"NOTICES={places}"]
    assert process(*given, "-s", "CLOSESPIDER_PAGECOUNT=4").status == 0
    first, (stopped, *_) = hook.posted[0][1]["title"], [told for _, told in hook.posted[1:]]
    assert first == "chain: first ValueError in parse"
    assert stopped["title"].startswith("chain: stopped (closespider_pagecount) after ")
    assert "after 0.0 s" not in stopped["title"]
    assert "Go on with: crawler resume c" in stopped["lines"]

    hook.posted.clear()
    resumed = process("resume", "c", "-s", "CLOSESPIDER_PAGECOUNT=0")
    assert resumed.status == 0
    assert "ValueError: on every page" in resumed.err
    assert [told["title"].partition(" after ")[0] for _, told in hook.posted] == ["chain: done"]
