"""A prompt on a crawl of its own, or in a running one."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site, command, environment

pytestmark = pytest.mark.process


class Shop(ThreadingHTTPServer):
    """A site with robots.txt, a redirect and a cookie. ``asked`` are (seconds, path, Cookie)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.asked: list[tuple[float, str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked if path != "/robots.txt"]


class _Page(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.asked.append((time.monotonic(), self.path, self.headers["Cookie"]))
        answers = {"/moved": 302, "/none": 404}
        self.send_response(answers.get(self.path, 200))
        self.send_header("Content-Type", "text/html")
        if self.path == "/moved":
            self.send_header("Location", "/page")
        self.send_header("Set-Cookie", "seen=1")
        body = b"User-agent: *\nDisallow: /private" if self.path == "/robots.txt" else b"<title>Shop</title>"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[Shop]:
    server = Shop()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def typed(crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> Crawler:
    """``typed(*arguments, text)``: `crawler shell` with lines typed at its prompt; the lines that it printed."""

    def run(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(arguments[-1]))
        result = crawler("shell", *arguments[:-1])
        assert result.status == 0, result.err
        errors[:] = result.err.splitlines()
        return [line for line in result.out.replace(">>> ", "").splitlines() if line]

    errors: list[str] = []
    run.errors = errors  # type: ignore[attr-defined]
    return run  # type: ignore[return-value]


def test_one_line_of_code_is_run_on_a_page(crawler: Crawler, shop: Shop) -> None:
    result = crawler("shell", f"{shop.url}/moved", "-c", "response.css('title::text').get()")
    assert (result.status, result.out, result.err) == (0, "Shop\n", "")
    assert shop.paths == ["/moved", "/page"]
    result = crawler("shell", f"{shop.url}/moved", "--no-redirect", "-c", "x = response.status; print(x)")
    assert (result.status, result.out) == (0, "302\n")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1/0", "ZeroDivisionError: division by zero"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("f(", "SyntaxError: unfinished: f("),
        ("response.url", "AttributeError: 'NoneType' object has no attribute 'url'"),
    ],
)
def test_code_that_fails_is_status_1(crawler: Crawler, code: str, said: str) -> None:
    result = crawler("shell", "-c", code)
    assert result.status == 1
    assert said in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("named", ["page.html", "./page.html", "odd name"])
def test_a_file_is_read_without_the_network(crawler: Crawler, folder: Path, named: str) -> None:
    (folder / named).write_text("<title>Local</title>")
    for name in (named, (folder / named).as_uri()):
        result = crawler("shell", name, "-c", "response.css('title::text').get(), response.url")
        assert result.out == f"('Local', '{(folder / named).as_uri()}')\n"


def test_a_file_that_is_not_there_is_no_host(crawler: Crawler, folder: Path) -> None:
    result = crawler("shell", "none.html", "-c", "1")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"no response from {(folder / 'none.html').as_uri()}: FetchError")
    assert "No such file" in result.err


def test_a_page_that_fails_leaves_the_prompt_with_no_response(typed: Crawler) -> None:
    said = typed("http://127.0.0.1:9/", "-s", "RETRY_ENABLED=false", "response\nprint(response, request)\n")
    assert said == ["None <GET http://127.0.0.1:9/>"]
    errors: list[str] = typed.errors  # type: ignore[attr-defined]
    assert errors[0].startswith("no response from http://127.0.0.1:9/: ConnectionFailed")


def test_a_middleware_that_fails_leaves_the_prompt(typed: Crawler, folder: Path, shop: Shop) -> None:
    text = "from crawler import Spider\n\nasync def broken(request, fetch):\n    raise ValueError('no key')\n\n"
    text += "class Pages(Spider):\n    name = 'pages'\n    custom_settings = {'MIDDLEWARES': [broken]}\n"
    (folder / "pages.py").write_text(text)
    given = ["--spider", "pages.py", "-s", "ROBOTSTXT_OBEY=false"]
    assert typed(shop.url, *given, "print(response)\n") == ["None"]
    assert "ValueError: no key" in typed.errors[0]  # type: ignore[attr-defined]


def test_fetch_is_the_crawls(typed: Crawler, shop: Shop) -> None:
    """With robots.txt, cookies, redirects, and the delay between two pages of a host; any status is a page."""
    lines = [
        f"fetch('{shop.url}/moved')",
        "print(request, response, spider)",
        f"fetch(Request('{shop.url}/none'))",
        "print(request, response)",
        f"fetch('{shop.url}/private')",
        "print(request, response)",
        f"fetch('{shop.url}/moved', redirect=False)",
        "print(response)",
        "exit()",
    ]
    given = ["-s", "DOWNLOAD_DELAY=0.2", "-s", "RANDOMIZE_DOWNLOAD_DELAY=false"]
    assert typed(f"{shop.url}/", *given, "\n".join(lines)) == [
        f"<GET {shop.url}/page> <200 {shop.url}/page> <NoSpider 'shell'>",
        f"<GET {shop.url}/none> <404 {shop.url}/none>",
        f"<GET {shop.url}/private> None",
        f"<302 {shop.url}/moved>",
    ]
    assert shop.paths == ["/", "/moved", "/page", "/none", "/moved"]
    times = [seconds for seconds, path, _ in shop.asked if path != "/robots.txt"]
    assert min(after - before for before, after in pairwise(times)) > 0.1  # as the server sees it
    assert [cookie for _, _, cookie in shop.asked[2:]] == ["seen=1"] * 4
    assert any("says Disallow: /private" in line for line in typed.errors)  # type: ignore[attr-defined]


def test_a_long_url_is_no_file(crawler: Crawler, shop: Shop) -> None:
    url = f"{shop.url}/{'x' * 300}"
    assert crawler("shell", url, "-c", "len(response.url)").out == f"{len(url)}\n"


def test_limits_and_the_job_of_the_project_do_not_count(crawler: Crawler, project: Path, shop: Shop) -> None:
    with (project / "settings.py").open("a") as file:
        file.write("JOB_STORE = 'redis://127.0.0.1:9'\nCLOSESPIDER_PAGECOUNT = 1\nDOWNLOAD_DELAY = 0\n")
        file.write("SINCE = 'LAST'\nONLY_NEW = True\nCHANGES_FILE = 'changes.jsonl'\n")
    code = f"fetch('{shop.url}/'); fetch('{shop.url}/none'); print(response)"
    assert crawler("shell", shop.url, "-c", code, cwd=project).out == f"<404 {shop.url}/none>\n"


def test_a_shell_without_stdin_is_wrong_usage(folder: Path) -> None:
    done = subprocess.run(
        command("shell"), stdin=subprocess.DEVNULL, cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "crawler: nobody can type here: there is no stdin; -c CODE runs a line of Python\n"


def test_a_crawl_that_cannot_begin_is_told_before_the_prompt(crawler: Crawler, folder: Path) -> None:
    text = "from crawler import Spider\n\nclass Pages(Spider):\n    name = 'pages'\n    label: str\n"
    (folder / "pages.py").write_text(text)
    result = crawler("shell", "--spider", "pages.py", "-c", "1")
    assert (result.status, result.out) == (2, "")
    assert result.err == "crawler: spider pages needs the argument label (text): -a label=…\n"
    assert crawler("shell", "--spider", "pages.py", "-a", "label=x", "-c", "spider.label").out == "x\n"


def test_the_spider_is_that_of_the_url(crawler: Crawler, project: Path, shop: Shop) -> None:
    spider = "from crawler import Spider\n\nclass One(Spider):\n    name = '{0}'\n    allowed_domains = ['127.0.0.1']\n"
    (project / "spiders" / "one.py").write_text(spider.format("one") + "    custom_settings = {'USER_AGENT': 'one'}\n")
    said = ("-s", "DOWNLOAD_DELAY=0", "-c", "spider.name, settings.get('USER_AGENT'), response.status")
    assert crawler("shell", shop.url, *said, cwd=project).out == "('one', 'one', 200)\n"
    assert crawler("shell", "--spider", "example", "-c", "spider.name", cwd=project).out == "example\n"
    (project / "spiders" / "two.py").write_text(spider.format("two"))
    assert crawler("shell", shop.url, *said[:3], "spider.name", cwd=project).out == "shell\n"


def test_fetch_follows_a_redirect_unless_told_not_to(crawler: Crawler, shop: Shop) -> None:
    assert crawler("fetch", f"{shop.url}/moved").out == "<title>Shop</title>"
    assert shop.paths == ["/moved", "/page"]
    assert "< 302" in crawler("fetch", f"{shop.url}/moved", "--no-redirect", "--headers").out
    assert "< 404" in crawler("fetch", f"{shop.url}/none", "--headers").out


def test_a_page_is_viewed_where_no_browser_is(
    crawler: Crawler, shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = crawler("view", f"{shop.url}/moved")
    assert result.status == 0
    assert f'<base href="{shop.url}/page"><title>Shop' in Path(result.out.strip()).read_text("utf-8-sig")
    (folder / "page.html").write_text("<p>Local")
    assert "<p>Local" in Path(crawler("view", "page.html").out.strip()).read_text("utf-8-sig")
    result = crawler("view", f"{shop.url}/private")
    assert result.status == 1
    assert "RequestDropped: robots" in result.err


INSPECTS = """\
from crawler import Spider, inspect_response


class Pages(Spider):
    name = "pages"
    start_urls = ["{url}"]
    custom_settings = {{"ROBOTSTXT_OBEY": False}}

    def parse(self, response):
        if response.url.endswith("/1"):
            {look}
        yield {{"url": response.url}}
        yield from response.follow_all(css="a")
"""
SLOWLY = "import time; time.sleep(0.4)\n"


LOOKS = [
    ("inspect_response(response, self)", "print('at', response.url, spider.name)\n" + SLOWLY),
    ("breakpoint()", "print('at', response.url, self.name)\n" + SLOWLY + "c\n"),
]


def _run(folder: Path, site: Site, look: str, *more: str, lines: str | None) -> subprocess.CompletedProcess[str]:
    (folder / "pages.py").write_text(INSPECTS.format(url=site.url, look=look))
    return subprocess.run(
        command("run", "pages.py", "-O", "pages.jsonl", *more),
        input=lines,
        stdin=subprocess.DEVNULL if lines is None else None,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("look", "lines"), LOOKS)
def test_a_callback_is_looked_into_while_the_crawl_waits(folder: Path, site: Site, look: str, lines: str) -> None:
    """However long it takes: nothing is said of the reactor that is held."""
    done = _run(folder, site, look, lines=lines)
    assert done.returncode == 0, done.stderr
    assert f"at {site.url[:-1]}1 pages" in done.stdout
    assert "held the reactor" not in done.stderr
    assert len((folder / "pages.jsonl").read_text().splitlines()) == 6


@pytest.mark.parametrize("more", [[], pytest.param(["--workers", "2"], marks=pytest.mark.slow)])
def test_where_nobody_types_the_crawl_goes_on(folder: Path, site: Site, more: list[str]) -> None:
    done = _run(folder, site, LOOKS[0][0], *more, lines=None)
    assert done.returncode == 0, done.stderr
    assert "inspect_response() is passed over: nobody types here, stdin is /dev/null" in done.stderr
    assert len((folder / "pages.jsonl").read_text().splitlines()) == 6


def _plain(said: bytes) -> str:
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", said.decode(errors="replace"))


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self._master = ours
        given = environment() | {"TERM": "xterm", "COLUMNS": "120", "HOME": str(folder), "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=given, process_group=0
        )
        os.close(theirs)
        self.raw = b""

    def until(self, text: str) -> str:
        """Return what is said until a text comes, without colours and the like; without a text, to the end."""
        said = b""
        until = time.monotonic() + 30
        while not text or text not in _plain(said):
            if not select.select([self._master], [], [], max(until - time.monotonic(), 0))[0]:
                self.process.kill()
                raise AssertionError(f"{text!r} did not come: {said!r}")
            try:
                said += os.read(self._master, 65536)
            except OSError:  # it has ended
                assert not text, said
                break
        self.raw += said
        return _plain(said)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("look", "prompt", "again", "end"),
    [
        ("inspect_response(response, self)", "In [1]:", "In [2]:", "\x04"),
        ("breakpoint()", "(Pdb)", "42\r\n(Pdb)", "c\r"),
    ],
)
def test_on_a_terminal_the_live_line_makes_room(
    folder: Path, site: Site, look: str, prompt: str, again: str, end: str
) -> None:
    (folder / "pages.py").write_text(INSPECTS.format(url=site.url, look=look))
    terminal = Terminal(folder, "run", "pages.py", "-O", "pages.jsonl", "-s", "DOWNLOAD_DELAY=0.2")
    before = terminal.until(prompt)
    assert "pages/s" in before
    terminal.type("40 + 2\r")
    said = terminal.until(again)
    assert "42" in said
    assert terminal.raw.rfind(b"\x1b[?25h") > terminal.raw.rfind(b"\x1b[?25l")  # the cursor, which the live line hides
    assert "pages/s" not in before[before.rindex(site.url[:-1] if "[s]" in before else "pages.py(") :] + said
    terminal.type(end)
    rest = terminal.until("")
    assert terminal.process.wait() == 0
    assert "held the reactor" not in before + said + rest
    assert len((folder / "pages.jsonl").read_text().splitlines()) == 6


@pytest.mark.slow
def test_a_prompt_of_ipython_awaits_on_the_loop_of_the_crawl(folder: Path, shop: Shop) -> None:
    terminal = Terminal(folder, "shell", shop.url)
    terminal.until("In [1]:")
    terminal.type(f"page = await spider.fetch('{shop.url}/moved'); print('came', page.url)\r")
    assert f"came {shop.url}/page" in terminal.until("In [2]:")
    terminal.type("\x04")
    terminal.until("")
    assert terminal.process.wait() == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("fetch(3)", "crawler shell: TypeError: fetch() takes a URL or a Request, got 3\n"),
        ("view(response)", "crawler shell: TypeError: expected a response, got None\n"),
    ],
)
def test_what_the_prompt_cannot_take_is_named(crawler: Crawler, code: str, said: str) -> None:
    assert crawler("shell", "-c", code) == (1, "", said)
