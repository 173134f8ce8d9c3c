"""Does a crawl of a command have its page, and who is told how to open it?"""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.commands.conftest import Crawler
from tests.status.shop import SPIDER

pytestmark = pytest.mark.process


class Ran(NamedTuple):
    """A crawl that was run to its end; ``item``: what the spider saw of it."""

    err: str
    item: dict[str, Any]

    @property
    def printed(self) -> list[str]:
        """The addresses that were printed."""
        return re.findall(r"(?m)^status page: (http\S+\?token=\S+)$", self.err)


def run(crawler: Crawler, folder: Path, *words: str, status: int = 0) -> Ran:
    (folder / "shop.py").write_text(SPIDER)
    ran = crawler("run", "shop.py", "-O", "out.jsonl", *words)
    assert ran.status == status, ran.err
    output = folder / "out.jsonl"
    return Ran(ran.err, json.loads(output.read_text()) if status == 0 else {})


def left(folder: Path) -> list[str]:
    """What is left of jobs that have ended."""
    return [file.name for file in folder.glob(".crawler/jobs/*")]


def test_the_address_is_printed_and_in_a_file_of_its_owner_and_in_no_log(crawler: Crawler, folder: Path) -> None:
    ran = run(crawler, folder, "--status", "-L", "DEBUG", "-s", "LOG_FILE=log.txt")
    (entry,) = ran.item["entries"]
    assert ran.printed == [entry["url"]]
    assert ran.item["modes"] == ["0o600"]
    log = (folder / "log.txt").read_text()
    assert entry["token"] not in log
    assert f"The status page is at {entry['url'].partition('?')[0]}; the address that opens it is in" in log
    assert left(folder) == []


def test_a_log_of_json_on_stderr_has_neither_the_token_nor_a_line_that_is_no_json(
    crawler: Crawler, folder: Path
) -> None:
    ran = run(crawler, folder, "--status", "-L", "DEBUG", "-s", "LOG_FORMAT=json")
    (entry,) = ran.item["entries"]
    assert entry["token"] not in ran.err
    assert any("is in" in json.loads(line)["message"] for line in ran.err.splitlines())
    without = run(crawler, folder, "--status", "-s", "LOG_FORMAT=json", "-s", "JOB_STORE=memory")
    said = [json.loads(line)["message"] for line in without.err.splitlines()]
    assert any("so set STATUS_TOKEN" in message for message in said)


def test_the_page_shows_and_without_control_does_nothing(crawler: Crawler, folder: Path) -> None:
    ran = run(crawler, folder, "--status")
    seen = ran.item["seen"]
    assert (seen["now"]["job"]["state"], seen["now"]["totals"]["pages"]) == ("running", 1)
    assert seen["now"]["control"] is False
    assert (seen["done"]["status"], "--status-control" in seen["done"]["error"]) == (403, True)
    assert "token" not in seen["address"]


def test_with_control_the_page_steers(crawler: Crawler, folder: Path) -> None:
    ran = run(crawler, folder, "--status-control")
    assert ran.item["seen"]["now"]["control"] is True
    assert "nothing is sent" in ran.item["seen"]["done"]["said"]
    assert "Done for page: the crawl goes on" in ran.err


def test_without_a_job_the_address_is_printed_only(crawler: Crawler, folder: Path) -> None:
    ran = run(crawler, folder, "--status", "-s", "JOB_STORE=memory")
    assert (len(ran.printed), ran.item["entries"]) == (1, [])
    assert not (folder / ".crawler" / "jobs").exists()


def test_a_port_in_use_is_wrong_usage_and_leaves_nothing_of_a_job(crawler: Crawler, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run(crawler, folder, "--status-port", str(port), status=2)
    assert f"STATUS_PORT: port {port} of 127.0.0.1 is in use by another program; take another" in ran.err
    assert "Traceback" not in ran.err
    assert left(folder) == []
    assert ran.item == {}


def test_a_unix_socket_in_the_place_of_a_port(crawler: Crawler, folder: Path) -> None:
    ran = run(crawler, folder, "-s", "STATUS_ENABLED=true", "-s", "STATUS_SOCKET=page.socket", "-s", "JOB_STORE=memory")
    assert ["unix", str(folder / "page.socket")] in ran.item["listening"]
    assert f"(by the Unix socket {folder / 'page.socket'})" in ran.err
    assert not (folder / "page.socket").exists()


def test_a_token_of_one_s_own_opens_it_too(crawler: Crawler, folder: Path) -> None:
    ran = run(crawler, folder, "--status", "-s", "STATUS_TOKEN=0123456789abcdef")
    assert ran.item["entries"][0]["url"].endswith("/?token=0123456789abcdef")
    assert (
        "STATUS_TOKEN has to be 16 or more"
        in run(crawler, folder, "--status", "-s", "STATUS_TOKEN=short", status=2).err
    )


ATTACKED = """\
import asyncio
import json
import socket
from collections import Counter
from pathlib import Path

from crawler import Request, Spider


def ask(port, text, wait=True):
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        client.sendall(text)
        return client, client.recv(12)[9:].decode() if wait else ""
    except OSError:
        return client, "reset"


def attack():
    entry = json.loads(next(Path(".crawler/jobs").glob("*.status")).read_text())
    port = int(entry["url"].split(":")[2].split("/")[0])
    right = f"Host: 127.0.0.1:{port}\\r\\nAuthorization: Bearer {entry['token']}\\r\\n".encode()
    asked = [b"GET /events HTTP/1.1\\r\\n" + right + b"\\r\\n"] * 60
    asked += [b"GET / HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n"] * 20
    asked += [b"GET /?token=no HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\n\\r\\n" % port] * 20
    asked += [b"POST /do HTTP/1.1\\r\\n" + right + b"Content-Length: 9999999\\r\\n\\r\\n" + b"x" * 200_000] * 5
    asked += [b"\\x16\\x03\\x01\\r\\n\\r\\n"] * 5
    answers = [ask(port, text) for text in asked]
    opened = [client for client, _ in answers] + [ask(port, b"GET / HT", wait=False)[0]]
    return opened, [answer for _, answer in answers]


class Shop(Spider):
    name = "shop"

    async def start(self):
        self.opened, answers = await asyncio.to_thread(attack)
        yield {"answers": answers}
        for number in range(30):
            yield Request(f"data:text/html,{number}")

    def parse(self, response):
        yield {"url": response.url}

    def closed(self, reason):
        for client in self.opened:
            client.close()
"""


def test_a_crawl_whose_page_is_attacked_is_unharmed(crawler: Crawler, folder: Path) -> None:
    (folder / "shop.py").write_text(ATTACKED)
    ran = crawler("run", "shop.py", "-O", "out.jsonl", "--status")
    assert ran.status == 0, ran.err
    (attacked, *items) = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    counted = Counter(attacked["answers"])
    assert counted == {"200": 32, "503": 28, "421": 20, "403": 20, "413": 5, "400": 5}
    assert len(items) == 30
    refused = re.findall(r"WARNING crawler\.status: The status page refused (.*?)[;(]", ran.err)
    assert len(refused) == len(set(refused)) == 5
    assert "ERROR" not in ran.err
