"""What the commands print: no password of a URL, and on a terminal nothing of a page that moves the cursor."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from crawler.commands.looking.file import settings_of
from tests.commands.conftest import Crawler, Site, command, environment

pytestmark = pytest.mark.process

SECRET = "s3cret"

SPIDER = """\
from crawler import Request, Spider


class Secretive(Spider):
    name = "secretive"
    start_urls = ["{url}"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {{"ROBOTSTXT_OBEY": False, "RETRY_ENABLED": False, "JOB_KEEP": True}}

    def parse(self, response):
        yield {{"url": response.url}}
        yield Request("http://u:s3cret@elsewhere.example/")
        yield Request("gopher://u:s3cret@127.0.0.1/")
        yield Request("http://u:s3cret@127.0.0.1:99999/")
        yield Request("http://u:s3cret@127.0.0.1:1/refused", callback=self.parse)
        yield response.follow("/1", callback=self.fail)
        yield response.follow("/none", callback=self.fail)
        self.logger.warning("seen %s", response.url)

    def fail(self, response):
        raise ValueError(f"cannot use {{response.url}} by http://u:s3cret@proxy.example")
"""


@pytest.fixture
def secretive(folder: Path, site: Site) -> Path:
    path = folder / "secretive.py"
    path.write_text(SPIDER.format(url=site.url.replace("//", f"//u:{SECRET}@")))
    return path


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_crawl_shows_no_password(crawler: Crawler, secretive: Path, folder: Path, form: str) -> None:
    options = ["--summary", "s.json", "-o", "items.jsonl", "-s", "JOB_EXPLAIN=full", "--log-format", form]
    result = crawler("run", secretive.name, "-L", "DEBUG", *options, "-s", "PROXY_URL=x")
    said = result.out + result.err + (folder / "s.json").read_text()
    assert SECRET not in said
    for part in ("u:***@elsewhere.example", "u:***@127.0.0.1:1/refused", "u:***@proxy.example", "seen http://u:***@"):
        assert part in said
    assert SECRET in (folder / "items.jsonl").read_text()  # data stays data


def test_what_is_listed_of_a_job_shows_no_password(crawler: Crawler, secretive: Path, site: Site) -> None:
    proxy = f"http://u:{SECRET}@127.0.0.1:1"
    auth = f'HTTP_AUTH={{"https://a.example": "u:{SECRET}"}}'
    crawler("run", secretive.name, "-s", f"PROXIES={proxy},u:{SECRET}@127.0.0.1:2", "-s", auth, "-s", f"OWN={proxy}")
    listed = crawler("jobs", "--json")
    assert json.loads(listed.out)[0]["description"]["command"]["settings"] == {
        "PROXIES": "http://u:***@127.0.0.1:1,u:***@127.0.0.1:2",
        "HTTP_AUTH": "***",
        "OWN": "http://u:***@127.0.0.1:1",
    }
    explained = crawler("explain", site.url.replace("//", f"//u:{SECRET}@"))
    assert "http://u:***@127.0.0.1" in explained.out
    assert SECRET not in listed.out + crawler("jobs").out + explained.out + explained.err


def test_settings_are_shown_without_passwords(crawler: Crawler, folder: Path) -> None:
    kept = f'JOB_STORE = "redis://u:{SECRET}@h"\nJOB_STORE_PASSWORD = "{SECRET}"\n'
    (folder / "settings.py").write_text(kept)
    proxy = f"http://u:{SECRET}@proxy.example:8080"
    given = ["-s", f"PROXIES={proxy},u:{SECRET}@b.example", "-s", f'HTTP_AUTH={{"a.example": "u:{SECRET}"}}']
    given += ["-s", f"MONGO_URI=mongodb://u:{SECRET}@h/x", "-s", f'FEEDS={{"s3://k:{SECRET}@b/x.json": {{}}}}']
    given += ["-s", f"AWS_SECRET_ACCESS_KEY={SECRET}", "-s", f'STORE_CREDENTIALS=["ftp://u:{SECRET}@h"]']
    options = f'{{"s3://b/x.json": {{"storage_options": {{"key": "K", "secret": "{SECRET}"}}}}}}'
    assert SECRET not in crawler("settings", "-s", f"FEEDS={options}", "--get", "FEEDS").out
    for how in (["--changed"], ["--json"], ["--get", "PROXIES"], ["--get", "HTTP_AUTH"]):
        result = crawler("settings", *given, *how)
        assert result.status == 0
        assert SECRET not in result.out
        assert "***" in result.out


def test_notices_are_shown_without_what_lets_others_write_there(crawler: Crawler) -> None:
    notices = [
        {"to": f"https://u:{SECRET}@hooks.example/services/{SECRET}"},
        {"to": "me@example.org", "by": f"smtp://u:{SECRET}@mail.example"},
        {"to": f"ircs://u:{SECRET}@irc.example/crawls", "key": SECRET},
        {"to": "$HOOK", "key": "$CHANNEL_KEY"},
    ]
    given = ["-s", f"NOTICES={json.dumps(notices)}", "-s", f"STATUS_TOKEN={SECRET}"]
    for how in (["--changed"], ["--json"], ["--get", "NOTICES"]):
        assert SECRET not in crawler("settings", *given, *how).out
    shown = json.loads(crawler("settings", *given, "NOTICES", "--json").out)[0]["value"]
    assert shown[0]["to"] == "https://u:***@hooks.example/…"
    assert shown[2]["key"] == "***"
    assert shown[3] == notices[3]


@pytest.mark.parametrize(
    "arguments",
    [
        ["fetch", f"http://u:{SECRET}@127.0.0.1:1/"],
        ["fetch", f"http://u:{SECRET}@127.0.0.1:99999/"],
        ["fetch", f"gopher://u:{SECRET}@h/"],
        ["fetch", "http://127.0.0.1:1/", "-s", f"PROXIES=ftp://u:{SECRET}@h"],
        ["fetch", "http://127.0.0.1:1/", "-s", f"PROXIES=http://u:{SECRET}@127.0.0.1:2"],
        ["run", "secretive.py", "-o", f"s3://k:{SECRET}@b/x.json", "-s", "AWS_ENDPOINT_URL=http://127.0.0.1:1"],
        ["run", "secretive.py", "-o", f"ftp://k:{SECRET}@127.0.0.1:1/x.json"],
        ["run", "secretive.py", "-o", f"sftp://k:{SECRET}@127.0.0.1:1/x.json"],
        ["run", "secretive.py", "-o", f"ftp://k:{SECRET}@b/x.nope"],
        ["genspider", "x", f"http://u:{SECRET}@["],
        ["settings", "-s", f"HTTP_AUTH=http://u:{SECRET}@h"],
        ["settings", "-s", f"JOB_STORE=redis://u:{SECRET}@h"],
        ["settings", "-s", f"JOB_STORE_PASSWORD={SECRET}"],
        ["settings", "-s", f"REFERRER_POLICY=http://u:{SECRET}@h"],
        ["settings", "-s", f'HTTP_AUTH={{"http://u:{SECRET}@h/page": "x"}}'],
    ],
)
def test_what_goes_wrong_is_told_without_passwords(crawler: Crawler, secretive: Path, arguments: list[str]) -> None:
    result = crawler(*arguments)
    assert result.status != 0
    assert result.err
    assert SECRET not in result.out + result.err


def test_fetched_headers_are_shown_without_credentials(crawler: Crawler, site: Site) -> None:
    auth = f'DEFAULT_REQUEST_HEADERS={{"Authorization": "Bearer {SECRET}"}}'
    url = site.url.replace("//", f"//u:{SECRET}@")
    result = crawler("fetch", url, "--headers", "-s", "ROBOTSTXT_OBEY=0", "-s", auth)
    assert SECRET not in result.out
    assert "> Authorization: ***" in result.out
    assert f"> GET {site.url.replace('//', '//u:***@')}\n" in result.out


HOSTILE = "data:text/plain;charset=utf-8,one%1B%5B2J%C2%9B1A%E2%80%AE%0Atwo"
PAGE = """\
from crawler import Spider


class Page(Spider):
    name = "page"
    start_urls = ["{url}"]

    def parse(self, response):
        yield {{"text": response.text}}
"""


def on_terminal(*arguments: str, cwd: Path) -> bytes:
    """Return what a command prints on a terminal."""
    ours, its = pty.openpty()
    done = subprocess.Popen(command(*arguments), cwd=cwd, env=environment(), stdout=its, stderr=subprocess.DEVNULL)
    os.close(its)
    said = b""
    try:
        while data := os.read(ours, 65536):
            said += data
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert done.wait(30) == 0
    return said


def test_a_page_does_not_move_the_cursor(folder: Path, process: Crawler) -> None:
    said = on_terminal("fetch", HOSTILE, cwd=folder)
    assert said == b"one\\u001b[2J\\u009b1A\\u202e\r\ntwo"
    assert process("fetch", HOSTILE).out == "one\x1b[2J\x9b1A\u202e\ntwo"  # into a file it is what it was


def test_an_item_does_not_move_the_cursor(folder: Path) -> None:
    (folder / "page.py").write_text(PAGE.format(url=HOSTILE))
    for form in ("csv", "jsonl", "xml"):
        said = on_terminal("run", "page.py", "-o", f"-:{form}", cwd=folder).decode()
        assert "2J" in said
        assert not set(said) & set("\x1b\x9b\u202e")


def test_of_a_job_no_setting_is_shown_that_is_called_a_secret() -> None:
    typed = {
        "MY_API_KEY": "abc",
        "SHOP_LOGIN": {"user": "ann", "password": "pw"},
        "PROXIES": "http://ann:pw@proxy.example:8080",
        "MAIL_TOKEN": "",
        "DOWNLOAD_DELAY": "2",
    }
    assert {row.name: row.value for row in settings_of({"command": {"settings": typed}}, {})} == {
        "MY_API_KEY": "***",
        "SHOP_LOGIN": '{"user":"ann","password":"***"}',
        "PROXIES": "http://ann:***@proxy.example:8080",
        "MAIL_TOKEN": "",
        "DOWNLOAD_DELAY": "2",
    }
