"""Does an item get the files that it names, each fetched once and stored whole, and is a broken one named on it?"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, field
from hashlib import md5, sha1
from pathlib import Path
from typing import Any

import pytest

from crawler import Files, ItemFailed, Request, Response, Spider, testing
from crawler.errors import ConnectionFailed, SettingError
from crawler.files.stores import ABANDONED_SECONDS, INCOMING
from tests.engine.virtual import ROOT, crawl, later
from tests.files.support import PDF, only, page_with, run, stored

NAME = f"full/{sha1(b'http://a.test/doc.pdf').hexdigest()}.pdf"
ITEM = {"file_urls": [f"{ROOT}doc.pdf"]}
DAYS_91 = 91 * 86400


def test_an_item_says_where_its_file_is(tmp_path: Path) -> None:
    result = run(tmp_path, {"doc.pdf": PDF}, ITEM)
    checksum = md5(PDF).hexdigest()
    assert only(result) == {"url": f"{ROOT}doc.pdf", "path": NAME, "checksum": checksum, "status": "downloaded"}
    assert stored(tmp_path) == {NAME}
    assert (tmp_path / NAME).read_bytes() == PDF
    assert result.summary.stats["file_status_count/downloaded"] == 1


def test_items_without_files_pass(tmp_path: Path) -> None:
    result = run(tmp_path, {"doc.pdf": PDF}, {"n": 1}, {"file_urls": None}, {"file_urls": []})
    assert result.items == [{"n": 1}, {"file_urls": None}, {"file_urls": [], "files": []}]


def test_one_url_as_a_text_is_one_file(tmp_path: Path) -> None:
    assert only(run(tmp_path, {"doc.pdf": PDF}, {"file_urls": f"{ROOT}doc.pdf"}))["path"] == NAME


def test_a_file_that_many_items_share_at_one_moment_is_fetched_once(tmp_path: Path) -> None:
    result = run(tmp_path, {"doc.pdf": PDF}, *[{**ITEM, "n": n} for n in range(20)])
    assert result.urls == [ROOT, f"{ROOT}doc.pdf"]
    assert [item["files"][0]["path"] for item in result.items] == [NAME] * 20


def test_another_run_finds_what_the_store_has(tmp_path: Path) -> None:
    run(tmp_path, {"doc.pdf": PDF}, ITEM)
    again = run(tmp_path, {"doc.pdf": b"never asked"}, ITEM)
    assert again.urls == [ROOT]
    assert only(again)["status"] == "uptodate"
    assert only(again)["checksum"] == md5(PDF).hexdigest()


def test_what_has_expired_is_fetched_again(tmp_path: Path) -> None:
    run(tmp_path, {"doc.pdf": PDF}, ITEM)
    old = time.time() - DAYS_91
    os.utime(tmp_path / NAME, (old, old))
    again = run(tmp_path, {"doc.pdf": b"newer"}, ITEM)
    assert only(again)["status"] == "downloaded"
    assert (tmp_path / NAME).read_bytes() == b"newer"
    assert only(run(tmp_path, {"doc.pdf": b"newest"}, ITEM, FILES_EXPIRES=0))["checksum"] == md5(b"newest").hexdigest()


def test_names_of_fields_are_set(tmp_path: Path) -> None:
    named = {"FILES_URLS_FIELD": "papers", "FILES_RESULT_FIELD": "kept"}
    assert only(run(tmp_path, {"doc.pdf": PDF}, {"papers": ITEM["file_urls"]}, **named), "kept")["path"] == NAME


# Names


def test_the_name_that_the_server_offers_is_honoured_within_a_folder_of_its_own(tmp_path: Path) -> None:
    evil = Response(f"{ROOT}doc.pdf", 200, {"Content-Disposition": 'attachment; filename="../../r\x01eport.pdf"'}, PDF)
    path = only(run(tmp_path, {"doc.pdf": evil}, ITEM, FILES_NAME="offered"))["path"]
    assert path == NAME.replace(".pdf", "/report.pdf")
    assert stored(tmp_path) == {path}
    again = run(tmp_path, {"doc.pdf": evil}, ITEM, FILES_NAME="offered")
    assert again.urls == [ROOT]
    assert only(again)["path"] == path


def by_title(request: Request, item: Any) -> str:
    return f"{item['title']}.pdf"


def test_a_function_names_files(tmp_path: Path) -> None:
    items = [{**ITEM, "title": title} for title in ("papers/one", "two", "../../three", "/etc/four")]
    store = tmp_path / "store"
    result = run(store, {"doc.pdf": PDF}, *items, FILES_NAME="tests.files.test_files.by_title")
    found = {item["title"]: item["files"][0] for item in result.items}
    assert {title: each["path"] for title, each in found.items()} == {
        "papers/one": "papers/one.pdf", "two": "two.pdf", "../../three": None, "/etc/four": None,
    }  # fmt: skip
    assert found["../../three"]["reason"] == "the name '../../three.pdf' leads out of the store"
    assert stored(tmp_path) == {"store/papers/one.pdf", "store/two.pdf"}


def test_a_function_that_raises_loses_that_item_by_name(tmp_path: Path) -> None:
    result = run(tmp_path, {"doc.pdf": PDF}, ITEM, {**ITEM, "title": "good"}, FILES_NAME=by_title)
    (lost,) = result.happened(ItemFailed)
    assert (lost.stage, repr(lost.error)) == ("Files", "KeyError('title')")
    assert [item["title"] for item in result.items] == ["good"]


@pytest.mark.parametrize("name", ["hashed", 5, "no.such.module"])
def test_a_name_that_is_no_way_of_naming_is_told_before_the_start(tmp_path: Path, name: Any) -> None:
    with pytest.raises(SettingError, match="FILES_NAME"):
        run(tmp_path, {"doc.pdf": PDF}, ITEM, FILES_NAME=name)


# What cannot be had


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (404, "http_404", "HTTP 404"),
        (b"", "empty", "the body is empty"),
        (ConnectionFailed("refused"), "ConnectionFailed", "ConnectionFailed: refused"),
        (Response(f"{ROOT}doc.pdf", 200, body=PDF, flags=["dataloss"]), "cut_off", "the body was cut off"),
        (Response(f"{ROOT}doc.pdf", 204), "http_204", "HTTP 204"),
    ],
)
def test_what_cannot_be_had_is_named_on_the_item(tmp_path: Path, answer: Any, kind: str, reason: str) -> None:
    result = run(tmp_path, {"doc.pdf": answer}, {**ITEM, "n": 1})
    assert result.items[0]["n"] == 1
    assert only(result) == {
        "url": f"{ROOT}doc.pdf", "path": None, "checksum": None, "status": "failed", "reason": reason,
    }  # fmt: skip
    assert result.summary.stats[f"file_failed_count/{kind}"] == 1
    assert not stored(tmp_path)
    assert not result.happened(ItemFailed)


@pytest.mark.parametrize("url", ["relative.pdf", "mailto:me@a.test", "", "http://[bad", None, 7, {"a": 1}])
def test_what_is_no_url_is_named_on_the_item(tmp_path: Path, url: Any) -> None:
    found = run(tmp_path, {"doc.pdf": PDF}, {"file_urls": [url, f"{ROOT}doc.pdf"]}).items[0]["files"]
    assert [each["status"] for each in found] == ["failed", "downloaded"]
    assert found[0]["reason"].startswith(("not a URL", "not a valid URL", "UnsupportedScheme"))


def test_a_page_names_no_file_of_this_machine(tmp_path: Path) -> None:
    result = run(tmp_path, {}, {"file_urls": ["file:///etc/passwd", "data:text/plain,x"]})
    assert [each["reason"] for each in result.items[0]["files"]] == [
        "scheme: file: and data: URLs come from start() only"
    ] * 2
    assert not stored(tmp_path)


def test_robots_txt_holds_for_files(tmp_path: Path) -> None:
    site = {"robots.txt": "User-agent: *\nDisallow: /doc", "doc.pdf": PDF}
    result = run(tmp_path, site, ITEM, ROBOTSTXT_OBEY=True)
    assert result.urls == [ROOT]
    assert only(result)["reason"].startswith("robots")


def test_the_delay_of_a_host_holds_for_files(tmp_path: Path) -> None:
    items = [{"file_urls": [f"{ROOT}{n}.pdf"]} for n in range(3)]
    site = {f"{n}.pdf": PDF for n in range(3)}
    result = run(tmp_path, site, *items, DOWNLOAD_DELAY=10, RANDOMIZE_DOWNLOAD_DELAY=False)
    assert [round(sent.when) for sent in result.sent] == [0, 10, 20, 30]


def test_redirects_are_followed_when_asked(tmp_path: Path) -> None:
    away = Response(f"{ROOT}doc.pdf", 302, {"Location": "http://cdn.test/x"})
    site = {"doc.pdf": away, "http://cdn.test/x": PDF}
    assert "HTTP 302 to http://cdn.test/x; MEDIA_ALLOW_REDIRECTS" in only(run(tmp_path, site, ITEM))["reason"]
    found = only(run(tmp_path, site, ITEM, MEDIA_ALLOW_REDIRECTS=True))
    assert (found["path"], found["status"]) == (NAME, "downloaded")


@dataclass
class Paper:
    file_urls: list[str]
    files: list[Any] = field(default_factory=list)


@dataclass
class NoField:
    file_urls: list[str]


def test_items_of_classes_get_their_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Papers(Spider):
        name = "papers"
        start_urls = [ROOT]

        def parse(self, response: Response) -> Any:
            yield Paper([f"{ROOT}doc.pdf"])
            yield NoField([f"{ROOT}doc.pdf"])
            yield NoField([f"{ROOT}doc.pdf"])

    given = {"PIPELINES": [Files], "FILES_STORE": str(tmp_path)}
    result = crawl(Papers, {ROOT: "x", f"{ROOT}doc.pdf": PDF}, settings=given)
    assert sorted(type(item).__name__ for item in result.items) == ["NoField", "NoField", "Paper"]
    assert [item.files[0]["path"] for item in result.items if isinstance(item, Paper)] == [NAME]
    assert [text for text in caplog.messages if "have no field files" in text] == [
        "Items of type NoField have no field files: their files are kept, but they do not say where"
    ]


# The store


def test_a_store_that_takes_no_files_is_told_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingError, match=r"FILES_STORE: no file can be written to .*: Not a directory"):
        run(tmp_path / "file" / "x", {}, ITEM)
    with pytest.raises(SettingError, match="FILES_STORE must be a folder or a URL"):
        run(Path(), {}, ITEM, FILES_STORE="")
    with pytest.raises(SettingError, match="Files needs the setting FILES_STORE"):
        crawl(page_with(), {}, settings={"PIPELINES": [Files]})


def test_what_kills_have_left_is_removed_a_day_later(tmp_path: Path) -> None:
    incoming = tmp_path / INCOMING
    incoming.mkdir()
    for name, age in (("old", ABANDONED_SECONDS + 60), ("new", 60)):
        (incoming / name).write_bytes(b"x")
        os.utime(incoming / name, (time.time() - age, time.time() - age))
    run(tmp_path, {"doc.pdf": PDF}, ITEM)
    assert stored(tmp_path) == {NAME, f"{INCOMING}/new"}


class FullDisk(Files):
    full = True

    def save(self, body: Path, path: str) -> str:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().save(body, path)


def test_a_full_disk_stops_the_crawl_and_a_resume_has_every_item_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = {f"{n}.pdf": PDF for n in range(5)}
    items = [{"n": n, "file_urls": [f"{ROOT}{n}.pdf"]} for n in range(5)]
    stopped = run(tmp_path / "store", site, *items, stage=FullDisk, job=tmp_path / "job")
    assert stopped.items == []
    assert stopped.summary.problems == ["FILES_STORE: No space left on device"]
    assert stopped.summary.exit_status == 1
    assert not stopped.happened(ItemFailed)
    monkeypatch.setattr(FullDisk, "full", False)
    resumed = run(tmp_path / "store", site, *items, stage=FullDisk, job=tmp_path / "job")
    assert sorted(item["n"] for item in resumed.items) == list(range(5))
    assert {each["status"] for item in resumed.items for each in item["files"]} == {"downloaded"}
    fetched = [url for url in stopped.urls + resumed.urls if url.endswith(".pdf")]
    assert len(fetched) == len(set(fetched)), "what had come in whole is not fetched again"
    assert not [path for path in stored(tmp_path / "store") if path.startswith(INCOMING)]


def test_a_stop_leaves_items_that_wait_for_their_files_to_a_resume(tmp_path: Path) -> None:
    """Two items of one page share a file that is not there yet: neither is written as one without it."""

    slow, files = "http://slow.test/", ["http://slow.test/doc.pdf", "http://slow.test/b.pdf"]

    class TwoPages(Spider):
        name = "two"
        start_urls = [ROOT, f"{ROOT}2"]

        def parse(self, response: Response) -> Any:
            yield {"page": response.url, "file_urls": files}

    def go(during: Any = None) -> testing.Result:
        site = {ROOT: "x", f"{ROOT}2": "x", **dict.fromkeys(files, PDF)}
        given = {"PIPELINES": [Files], "FILES_STORE": str(tmp_path / "store"), "FILES_EXPIRES": 0}
        slots = {"DOWNLOAD_SLOTS": {"slow.test": {"delay": 10, "jitter": 0}}}
        return crawl(TwoPages, site, settings={**given, **slots}, job=tmp_path / "job", during=during)

    stopped = go(lambda ready: later(ready, 5, ready.stop))
    assert sorted(stopped.urls) == [ROOT, f"{ROOT}2", f"{slow}doc.pdf"]
    assert stopped.items == []
    assert not stopped.happened(ItemFailed)
    assert stopped.summary.problems == []
    resumed = go()
    assert sorted(item["page"] for item in resumed.items) == [ROOT, f"{ROOT}2"]
    statuses = {each["url"]: each["status"] for item in resumed.items for each in item["files"]}
    assert statuses == {f"{slow}doc.pdf": "uptodate", f"{slow}b.pdf": "downloaded"}, "one job fetches each once"
