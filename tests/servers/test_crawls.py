"""A whole crawl from the command line: HTTP/2 through proxies with a login, in sessions, archived and read again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.download.http.certificates import Authority
from tests.servers.origins import Origin
from tests.servers.process import free_port
from tests.servers.proxies import PASSWORD, USER, microsocks, squid, tinyproxy

pytestmark = pytest.mark.slow

SPIDER = """\
from crawler import Spider


class Pages(Spider):
    name = "pages"
    origin: str
    custom_settings = {"ROBOTSTXT_OBEY": False, "RETRY_BACKOFF": 0, "JOB_STORE": None}

    def start_requests(self):
        from crawler import Request
        for number in range(60):
            yield Request(f"{self.origin}/{number}.html")
        yield Request(f"{self.origin}/moved")

    def parse(self, response):
        yield {"url": response.url, "title": response.css("title::text").get(), "protocol": response.protocol}
"""


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_crawl_through_everything(authority: Authority, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "pages.py").write_text(SPIDER)
    arguments = ["-a", f"origin={origin.secure}", "-s", f"TLS_CA_FILE={authority.file}"]
    with tinyproxy(login=True) as first, squid(login=False) as second, microsocks(login=True) as third:
        who = f"{USER}:{PASSWORD}@"
        dead = f"127.0.0.1:{free_port()}"
        proxies = [f"http://{who}{first}", f"http://{second}", f"socks5://{who}{third}", f"http://{dead}"]
        through = ["-s", f"PROXIES={json.dumps(proxies)}", "-s", "SESSIONS=8"]
        done = command(
            tmp_path, "crawler", "run", "pages.py", *arguments, *through, "--warc", "a.warc.gz", "-O", "a.jsonl"
        )
    assert done.returncode == 0, done.stderr
    items = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert {item["title"] for item in items} == {*map(str, range(60)), "hello"}
    assert {item["protocol"] for item in items} == {"h2"}
    assert PASSWORD not in done.stderr
    checked = command(tmp_path, "warcio.cli", "check", "-v", "a.warc.gz")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "digest pass" in checked.stdout
    again = command(tmp_path, "crawler", "reparse", "a.warc.gz", "pages.py", *arguments, "--diff", "a.jsonl")
    assert again.returncode == 0, again.stderr
    assert again.stdout == "0 changed, 0 added, 0 removed, 61 the same (matched by url)\n"
