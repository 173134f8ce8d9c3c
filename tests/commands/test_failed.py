"""What failed of a crawl is listed, and fetched again: of one that has finished, too."""

from __future__ import annotations

import json
import shlex
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path

from pyarrow import parquet

from crawler.storage import history
from crawler.storage.history import read_run
from tests.commands.conftest import Crawler, jobs
from tests.commands.failing_site import FAILING, PAGES, QUIET, SPIDER, WORDS, FailingSite, expected, failed, items


def test_what_failed_of_a_finished_crawl_joins_its_output(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    first = crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine", *QUIET)
    assert first.status == 0, first.err
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert not list((folder / ".crawler" / "jobs").iterdir())
    assert jobs(crawler) == [("mine", "finished")]
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    listed = crawler("jobs", "failed", "mine")
    assert listed.out.startswith(f"{shop.url}0\n  HttpError 503, 2 attempts, the last at 20")
    assert listed.out.count(f"  found on {shop.url}\n") == FAILING
    assert "40 requests failed; fetch again:  crawler resume mine --failed" in listed.err

    broken = shop.broken
    shop.heal()
    again = crawler("resume", "mine", "--failed", *QUIET)
    assert again.status == 0, again.err
    assert "40 requests that failed will be fetched again." in again.err
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert set(shop.asked) == {str(number) for number in broken} | {f"more{each}" for each in broken - shop.broken}
    assert "Failed    20 (20 status 503)" in again.err
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    assert jobs(crawler) == [("mine", "finished")]


def test_what_failed_of_a_stopped_job_is_queued_again(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    stop = ("-s", "CLOSESPIDER_PAGECOUNT=100", "-s", "RETRY_TIMES=0")
    assert crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine", *stop, *QUIET).status == 0
    before = failed(crawler)
    assert before
    shop.heal()
    again = crawler("resume", "mine", "--failed", "-s", "CLOSESPIDER_PAGECOUNT=0", *QUIET)
    assert again.status == 0, again.err
    assert f"{len(before)} requests that failed will be fetched again." in again.err
    assert set(before) <= set(shop.asked)
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]


def test_a_crawl_that_failed_nowhere_says_so(crawler: Crawler, shop: FailingSite) -> None:
    shop.pages = 40
    shop.broken = set()
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    assert "Nothing failed in job mine." in crawler("jobs", "failed", "mine").err
    again = crawler("resume", "mine", "--failed")
    assert (again.status, again.out) == (2, "")
    assert again.err == "crawler: nothing failed in job mine: there is nothing to fetch again\n"
    plain = crawler("resume", "mine")
    assert plain.err == "crawler: job mine is finished; there is nothing to resume\n"
    none = crawler("resume", "other", "--failed")
    assert (none.status, "no job 'other'" in none.err) == (2, True)


def test_a_finished_crawl_is_explained_and_removed(crawler: Crawler, shop: FailingSite) -> None:
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    said = crawler("explain", f"{shop.url}10").out
    assert f"Accepted, found on {shop.url}." in said
    assert said.count(" gave 503\n") == 2
    assert "It failed: HttpError." in said
    assert "Answered: its callback yielded 1 item and 0 requests." in crawler("explain", f"{shop.url}1").out
    assert "`crawler resume mine --failed` fetches again what failed (40)" in crawler("resume", "mine").err
    assert crawler("jobs", "rm", "mine").status == 0
    assert jobs(crawler) == []
    assert "no job 'mine'" in crawler("jobs", "rm", "mine").err


def test_secrets_of_the_command_are_not_kept(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    shop.pages = 40
    (folder / "pages.py").write_text(
        (folder / "pages.py").read_text().replace("    name", "    api_token: str\n    name")
    )
    secrets = ("-a", "api_token=hush-hush", "-s", f'HTTP_AUTH={{"{shop.url[:-1]}": "me:hush-hush"}}')
    assert crawler("run", "pages.py", "--job", "mine", *secrets, *QUIET).status == 0
    [path] = (folder / ".crawler" / "jobs.history").iterdir()
    assert "hush-hush" not in repr(read_run(path))
    kept = b"".join(failed.body for failed in history.failed(read_run(path)))
    assert b"hush-hush" not in kept
    assert b64encode(b"me:hush-hush") not in kept
    missing = crawler("resume", "mine", "--failed", *QUIET)
    assert missing.status == 2
    assert "give -a api_token=… again" in missing.err
    shop.heal()
    again = crawler("resume", "mine", "--failed", "-a", "api_token=new", *QUIET)
    assert again.status == 0, again.err
    assert "does not keep its HTTP_AUTH" in again.err


def test_what_is_fetched_again_joins_a_table_and_the_files_of_parquet(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    outputs = ["-o", "sqlite:///items.db?table=items", "-O", "items.parquet", "-O", "memory://me@box/items.jsonl"]
    assert crawler("run", "pages.py", "--job", "mine", *outputs, *QUIET).status == 0
    (kept,) = [read_run(path).description for path in (folder / ".crawler" / "jobs.history").iterdir()]
    assert "memory://me@box" in repr(kept), "a user's name is no secret"
    first = parquet.read_table(folder / "items-00001.parquet").num_rows
    shop.heal()
    outputs = json.dumps({"sqlite:///items.db?table=items": {}, "items.parquet": {}})
    again = crawler("resume", "mine", "--failed", "-s", f"FEEDS={outputs}", *QUIET)
    assert again.status == 0, again.err
    second = parquet.read_table(folder / "items-00002.parquet").num_rows
    assert second > 0
    with closing(sqlite3.connect(folder / "items.db")) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (first + second,)


def test_no_history_is_kept_where_none_is_wanted(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    shop.pages = 40
    for name in ("JOB_HISTORY_DAYS", "JOB_HISTORY_RUNS"):
        assert crawler("run", "pages.py", "--job", "mine", "-s", f"{name}=0", *QUIET).status == 0
    assert jobs(crawler) == []
    assert not (folder / ".crawler" / "jobs.history").exists()


def test_a_kept_job_whose_process_was_killed_before_its_history_leaves_one_to_the_next(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    assert crawler("run", "pages.py", "--job", "mine", "-s", "JOB_KEEP=true", *QUIET).status == 0
    [kept] = (folder / ".crawler" / "jobs.history").iterdir()
    kept.unlink()
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    shop.heal()
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    assert [state for _, state in jobs(crawler)] == ["finished", "finished"]


def test_a_history_that_is_damaged_is_listed_as_that(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    shop.pages = 40
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    [path] = (folder / ".crawler" / "jobs.history").iterdir()
    path.write_bytes(path.read_bytes()[:30])
    assert jobs(crawler) == [("mine", "damaged")]
    assert crawler("resume", "mine", "--failed").status == 2
    assert crawler("jobs", "rm", "mine").status == 0
    assert jobs(crawler) == []


def test_an_output_that_was_moved_away_is_begun_anew(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    assert crawler("run", "pages.py", "-O", "items.json", "--job", "mine", *QUIET).status == 0
    (folder / "items.json").rename(folder / "before.json")
    shop.heal()
    assert crawler("resume", "mine", "--failed", *QUIET).status == 0
    assert len(json.loads((folder / "items.json").read_text())) == 2 * FAILING // 2
    assert len(json.loads((folder / "before.json").read_text())) == PAGES - FAILING


def test_a_history_that_cannot_be_written_costs_nothing_but_itself(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    (folder / ".crawler").mkdir()
    (folder / ".crawler" / "jobs.history").write_text("a file where the folder belongs")
    done = crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine", *QUIET)
    assert done.status == 0
    assert "The crawl is done, and job mine stays as it is" in done.err
    assert items(folder / "items.jsonl") == expected(shop.broken)
    (folder / ".crawler" / "jobs.history").unlink()
    shop.heal()
    assert crawler("resume", "mine", "--failed", *QUIET).status == 0
    assert items(folder / "items.jsonl") == expected(shop.broken)


def test_an_output_that_cannot_be_appended_to_is_told_before_and_another_may_be_named(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    assert crawler("run", "pages.py", "-O", "memory://bucket/items.parquet", "--job", "mine", *QUIET).status == 0
    shop.heal()
    refused = crawler("resume", "mine", "--failed", *QUIET)
    assert refused.status == 2
    assert "what is fetched again cannot join the output: feed 'memory://bucket/items.parquet'" in refused.err
    assert jobs(crawler) == [("mine", "finished")]
    recommended = shlex.split(refused.err.split("`crawler ")[-1].partition("`")[0].replace("FILE", "more.jsonl"))
    assert crawler(*recommended, *QUIET).status == 0
    assert len(items(folder / "more.jsonl")) == FAILING


def test_a_finished_crawl_whose_spider_is_broken_stays_finished(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    assert crawler(*WORDS).status == 0
    (folder / "pages.py").write_text(SPIDER.format(url=shop.url).replace("parse_page", "renamed"))
    renamed = crawler("resume", "mine", "--failed", *QUIET)
    assert (renamed.status, "callback 'parse_page', which the spider has no more" in renamed.err) == (1, True)
    assert jobs(crawler) == [("mine", "finished")]
    assert not list((folder / ".crawler" / "jobs").glob("*.sqlite*"))


def test_one_history_that_cannot_be_read_is_in_nobodys_way(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    """A file of another user's, or what else has such a name."""
    shop.pages, shop.broken = 3, set()
    (folder / ".crawler" / "jobs.history" / "other.history").mkdir(parents=True)
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    assert not list((folder / ".crawler" / "jobs").iterdir())
    assert sorted(jobs(crawler)) == [("mine", "finished"), ("other", "damaged")]
    assert crawler("jobs", "rm", "mine").status == 0
    assert jobs(crawler) == [("other", "damaged")]
