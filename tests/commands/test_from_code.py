"""Do scripts, notebooks and web views get a crawl's items from a call?"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import crawler
from crawler import Request, Spider, UsageError
from tests.commands.conftest import environment


class Numbers(Spider):
    """Yields an item for each of a few pages, which need no network."""

    name = "numbers"
    count: int = 3
    ended: ClassVar[list[str]] = []
    scraped: ClassVar[list[int]] = []

    def start_requests(self) -> Iterator[Request]:
        self.scraped.clear()
        for number in range(self.count):
            yield Request(f"data:,{number}")

    async def parse(self, response: Any) -> AsyncIterator[dict[str, int]]:
        await asyncio.sleep(0)
        self.scraped.append(int(response.text))
        yield {"number": int(response.text)}

    def closed(self, reason: str) -> None:
        self.ended.append(reason)


def numbers(items: list[Any]) -> list[int]:
    return sorted(item["number"] for item in items)


def test_one_loop_runs_crawls_one_after_the_other_and_at_once() -> None:
    async def main() -> None:
        first = await crawler.run(Numbers)
        assert (numbers(first.items), first.summary.reason, first.summary.feeds) == ([0, 1, 2], "finished", [])
        several = await asyncio.gather(*(crawler.run(Numbers, arguments={"count": n}) for n in (1, 2, 4)))
        assert [len(result.items) for result in several] == [1, 2, 4]

    asyncio.run(main())


def test_a_loop_after_the_other_costs_no_file_descriptors() -> None:
    asyncio.run(crawler.run(Numbers))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(4):
        assert len(asyncio.run(crawler.run(Numbers)).items) == 3
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_the_blocking_form_may_be_called_again_and_in_several_threads_at_once() -> None:
    assert [len(crawler.run_blocking(Numbers).items) for _ in range(2)] == [3, 3]
    results: list[crawler.CrawlResult] = []
    threads = [threading.Thread(target=lambda: results.append(crawler.run_blocking(Numbers))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [numbers(result.items) for result in results] == [[0, 1, 2]] * 3


def test_a_mistake_is_an_error_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="DOWNLOAD_DELAY"):
        crawler.run_blocking(Numbers, {"DOWNLOAD_DELY": 1})
    with pytest.raises(UsageError, match="is begun by a command"):
        crawler.run_blocking(Numbers, {"JOB_STORE": "redis://localhost"})


def test_who_calls_it_in_the_wrong_place_is_told_the_right_way() -> None:
    with pytest.raises(UsageError, match=r"none runs here; `crawler\.run_blocking"):
        crawler.run(Numbers).send(None)

    async def main() -> None:
        with pytest.raises(UsageError, match=r"`await crawler\.run\("):
            crawler.run_blocking(Numbers)

    asyncio.run(main())


def test_a_cancelled_crawl_has_ended_when_the_waiting_ends() -> None:
    Numbers.ended.clear()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(crawler.run(Numbers, arguments={"count": 100_000}), 0.1)
        assert Numbers.ended == ["shutdown"]

    asyncio.run(main())


def test_a_slow_reader_of_the_stream_slows_the_crawl() -> None:
    async def main() -> None:
        seen = ahead = 0
        async with crawler.stream(Numbers, arguments={"count": 20_000}) as items:
            async for _ in items:
                seen += 1
                ahead = max(ahead, len(Numbers.scraped) - seen)
                await asyncio.sleep(0.0005)
                if seen == 500:
                    break
        assert ahead < 800

    asyncio.run(main())


def test_leaving_the_loop_stops_the_crawl() -> None:
    Numbers.ended.clear()

    async def main() -> None:
        stream = crawler.stream(Numbers, arguments={"count": 100_000})
        async for _ in stream:
            break
        await stream.aclose()
        assert stream.summary is not None
        assert (stream.summary.reason, Numbers.ended) == ("shutdown", ["shutdown"])
        async for _ in crawler.stream(Numbers, arguments={"count": 100_000}):
            return  # the end of the loop waits for that of the crawl

    asyncio.run(main())
    assert Numbers.ended == ["shutdown"] * 2


def test_a_stream_that_ends_has_given_every_item_and_a_summary() -> None:
    async def main() -> None:
        stream = crawler.stream(Numbers, arguments={"count": 500})
        assert numbers([item async for item in stream]) == list(range(500))
        assert stream.summary is not None
        assert (stream.summary.reason, stream.summary.items) == ("finished", 500)

    asyncio.run(main())


def test_a_mistake_is_raised_where_the_stream_is_read() -> None:
    async def main() -> None:
        with pytest.raises(UsageError, match="no argument counts"):
            async for _ in crawler.stream(Numbers, arguments={"counts": 1}):
                pass

    asyncio.run(main())


def test_a_named_job_gives_its_stream_on_from_where_it_was_left(tmp_path: Path) -> None:
    settings = {"JOB_NAME": "numbers", "JOB_DIR": str(tmp_path), "JOB_COMMIT_SECONDS": 0.01}

    async def main() -> None:
        given: list[Any] = []
        async with crawler.stream(Numbers, settings, arguments={"count": 300}) as items:
            async for item in items:
                given.append(item)
                if len(given) == 50:
                    break
        given += [item async for item in crawler.stream(Numbers, settings, arguments={"count": 300})]
        assert numbers(given) == list(range(300))

    asyncio.run(main())


def test_a_named_job_that_goes_on_returns_the_items_of_all_its_runs(tmp_path: Path) -> None:
    settings = {"JOB_NAME": "numbers", "JOB_DIR": str(tmp_path), "JOB_COMMIT_SECONDS": 0.01}
    stopped = crawler.run_blocking(Numbers, settings | {"CLOSESPIDER_ITEMCOUNT": 20}, arguments={"count": 100})
    assert 20 <= len(stopped.items) < 100
    assert numbers(crawler.run_blocking(Numbers, settings, arguments={"count": 100}).items) == list(range(100))


SPIDERS = """\
import asyncio, crawler, sys

class Few(crawler.Spider):
    name = "few"
    start_urls = ["data:,x"]
    async def parse(self, response):
        await asyncio.sleep(0.001)
        yield {"a": 1}

class Bad(Few):
    name = "bad"
    def parse(self, response):
        1 / 0
"""


def script(folder: Path, text: str) -> tuple[str, str]:
    (folder / "script.py").write_text(SPIDERS + text)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.process
def test_errors_are_shown_once_though_crawls_begin_and_end_at_different_times(tmp_path: Path) -> None:
    class_ = "class Late(Bad):\n    async def parse(self, response):\n        await asyncio.sleep(0.1)\n        1 / 0\n"
    out, err = script(
        tmp_path,
        f"""
{class_}
async def main():
    results = await asyncio.gather(crawler.run(Few), crawler.run(Bad), crawler.run(Late))
    print([result.summary.exit_status for result in results])
asyncio.run(main())
""",
    )
    assert out == "[0, 1, 1]\n"
    assert [line.partition(" ERROR ")[2].partition(" |")[0] for line in err.splitlines()] == [
        "crawler: parse on data:,x failed: ZeroDivisionError: division by zero"
    ] * 2


@pytest.mark.process
def test_a_reactor_of_another_kind_is_no_hindrance_or_it_is_told_what_to_do(tmp_path: Path) -> None:
    out, err = script(
        tmp_path,
        """
from twisted.internet import selectreactor
selectreactor.install()
from twisted.internet import reactor, defer
print(len(asyncio.run(crawler.run(Few)).items), len(crawler.run_blocking(Few).items))

async def main():
    for call in (crawler.run, crawler.run_blocking):
        try:
            print(await call(Few))
        except crawler.UsageError as error:
            print(error)
    reactor.stop()

reactor.callWhenRunning(lambda: defer.ensureDeferred(main()))
reactor.run()
""",
    )
    served, awaited, blocking = out.splitlines()
    assert (served, err) == ("1 1", "")
    assert "`await crawl(SpiderClass, settings, reactor=reactor)`" in awaited
    assert "`await crawl(SpiderClass, settings, reactor=reactor)`" in blocking


@pytest.mark.process
def test_a_callback_may_wait_for_twisted_and_another_crawl(tmp_path: Path) -> None:
    out, err = script(
        tmp_path,
        """
class Nested(Few):
    async def parse(self, response):
        from twisted.internet.threads import deferToThread
        number = await deferToThread(len, response.text)
        yield {"a": number + len((await crawler.run(Few)).items)}

async def main():
    print((await crawler.run(Nested)).items)

asyncio.run(main())
asyncio.run(main())
""",
    )
    assert (out, err) == ("[{'a': 2}]\n" * 2, "")


@pytest.mark.process
def test_the_cells_of_a_notebook_await_crawls(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    out, _ = script(
        tmp_path,
        """
import os
os.environ["IPYTHONDIR"] = "."
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.user_ns.update(crawler=crawler, Few=Few, asyncio=asyncio)
for cell in (
    "result = await crawler.run(Few)",
    "more = await asyncio.gather(crawler.run(Few), crawler.run(Few))",
    "streamed = [item async for item in crawler.stream(Few)]",
    "print(len(result.items), [len(each.items) for each in more], streamed)",
):
    shell.run_cell(cell).raise_error()
""",
    )
    assert out == "1 [1, 1] [{'a': 1}]\n"


@pytest.mark.process
def test_ctrl_c_ends_the_blocking_form_with_its_hooks(tmp_path: Path) -> None:
    out, _ = script(
        tmp_path,
        """
import os, signal
class Endless(Few):
    start_urls = ["data:,x"]
    async def parse(self, response):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    def closed(self, reason):
        print("closed", reason)
try:
    crawler.run_blocking(Endless)
except KeyboardInterrupt:
    print("interrupted")
""",
    )
    assert out == "closed shutdown\ninterrupted\n"
