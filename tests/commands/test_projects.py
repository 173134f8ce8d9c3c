"""startproject, genspider, list, settings, version: what a new user tries first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site


def test_a_new_project_runs_at_once(crawler: Crawler, project: Path) -> None:
    files = sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())
    assert files == [
        ".gitignore",
        "pipelines/__init__.py",
        "pipelines/require_fields.py",
        "settings.py",
        "spiders/__init__.py",
        "spiders/example.html",
        "spiders/example.py",
    ]
    assert crawler("list", cwd=project) == (0, "example\n", "")
    result = crawler("crawl", "example", "-O", "sayings.jsonl", cwd=project)
    assert result.status == 0, result.err
    items = [json.loads(line) for line in (project / "sayings.jsonl").read_text().splitlines()]
    assert [item["text"] for item in items] == [
        "A stitch in time saves nine.",
        "Haste makes waste.",
        "Still waters run deep.",
    ]
    result = crawler("crawl", "example", "-a", "tag=people", "-o", "-", "--nolog", cwd=project)
    assert [json.loads(line)["tags"] for line in result.out.splitlines()] == [["people"]]
    assert result.err == ""


@pytest.mark.parametrize("template", ["basic", "crawl"])
def test_a_new_spider_of_a_new_project_writes_items(crawler: Crawler, project: Path, site: Site, template: str) -> None:
    assert crawler("genspider", "-t", template, "fresh", site.url, cwd=project).status == 0
    result = crawler("crawl", "fresh", "-O", "fresh.jsonl", "-s", "DOWNLOAD_DELAY=0", cwd=project)
    assert result.status == 0, result.err
    first = json.loads((project / "fresh.jsonl").read_text().splitlines()[0])
    assert first["url"].startswith("http://127.0.0.1:")
    assert first["title"].isdigit()


def test_a_new_project_is_polite(crawler: Crawler, project: Path) -> None:
    changed = json.loads(crawler("settings", "--changed", "--json", cwd=project).out)
    values = {row["name"]: (row["value"], row["origin"]) for row in changed}
    assert values["DOWNLOAD_DELAY"] == (1.0, "settings.py")
    assert values["CONCURRENT_REQUESTS_PER_DOMAIN"] == (1, "settings.py")
    assert "ROBOTSTXT_OBEY" not in values


def test_a_folder_that_is_not_empty_is_left_alone(crawler: Crawler, folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "settings.py").write_text("# mine\n")
    result = crawler("startproject", "mine")
    assert (result.status, result.err) == (2, "crawler: mine is there already, and not an empty folder\n")
    assert [path.name for path in (folder / "mine").iterdir()] == ["settings.py"]


def test_a_generated_spider_is_listed_and_says_its_site(crawler: Crawler, project: Path) -> None:
    assert crawler("genspider", "the-books", "Books.Example/list?a=b", cwd=project).status == 0
    assert crawler("list", cwd=project / "spiders").out == "example\nthe-books\n"
    text = (project / "spiders" / "the_books.py").read_text()
    assert 'allowed_domains = ["books.example"]' in text
    assert 'start_urls = ["https://books.example/list?a=b"]' in text
    assert "class TheBooks(Spider)" in text


PAGES = {
    "basic": ("data:text/html,<title>A</title>", {"url": "data:text/html,<title>A</title>", "title": "A"}),
    "csvfeed": ("data:text/csv,id,name%0A1,A", {"id": "1", "name": "A"}),
    "xmlfeed": (
        "data:text/xml,<r><item><title>A</title><link>/a</link></item></r>",
        {"title": "A", "link": "/a"},
    ),
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_spider_of_each_template_runs(crawler: Crawler, project: Path, kind: str) -> None:
    url, item = PAGES[kind]
    assert crawler("genspider", "-t", kind, "first", "a.example", cwd=project).status == 0
    path = project / "spiders" / "first.py"
    path.write_text(path.read_text().replace("https://a.example/", url))
    result = crawler("crawl", "first", "-o", "-", "-s", "PIPELINES=[]", cwd=project)
    assert [json.loads(line) for line in result.out.splitlines()] == [item], result.err


def test_a_spider_with_rules_follows_links(crawler: Crawler, project: Path, site: Site) -> None:
    assert crawler("genspider", "-t", "crawl", "first", site.url, cwd=project).status == 0
    given = ("-s", "PIPELINES=[]", "-s", "DOWNLOAD_DELAY=0")
    result = crawler("crawl", "first", "-o", "-", *given, cwd=project)
    assert [json.loads(line)["title"] for line in result.out.splitlines()] == ["1", "2", "3", "4", "5"], result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["books", "x.example", "-t", "crwl"], 'there is no template "crwl"; did you mean "crawl"?'),
        (["example", "x.example"], 'there is a spider "example" already, in spiders.example'),
        (["json", "x.example"], '"json" is the name of a module of Python'),
        (["class", "x.example"], '"class" is a word of Python'),
        (["a/b", "x.example"], '"a/b" is no name for a spider'),
        (["books", "http://["], '"http://[" is no URL'),
        (["books", "ftp://x.example/"], "expected an http or https URL"),
        (["books", "x.example/\nimport os"], "is no URL"),
    ],
)
def test_names_and_urls_that_make_no_spider(crawler: Crawler, project: Path, arguments: list[str], said: str) -> None:
    result = crawler("genspider", *arguments, cwd=project)
    assert result.status == 2
    assert said in result.err
    assert crawler("list", cwd=project).out == "example\n"


def test_settings_are_shown_with_type_origin_and_meaning(crawler: Crawler) -> None:
    result = crawler("settings", "-s", "DOWNLOAD_DELAY=2", "DOWNLOAD_DELAY", "JOB_NAME")
    assert result == (
        0,
        "DOWNLOAD_DELAY = 2.0 (float; command line)\n    Least time between two requests to one host\n"
        "JOB_NAME = none (str | None; default)\n"
        "    Name of the job; None: made from the spider and the time\n",
        "",
    )
    assert crawler("settings", "--get", "RETRY_HTTP_CODES").out == "[500,502,503,504,522,524,408,429]\n"


def test_settings_of_ones_own_are_shown(crawler: Crawler) -> None:
    result = crawler("settings", "-s", "MONGO_URI=x", "MONGO_URI")
    assert result.out == "MONGO_URI = x (own; command line)\n    The project's own\n"


def test_settings_of_a_spider_and_of_its_stages(crawler: Crawler, project: Path) -> None:
    rows = json.loads(crawler("settings", "--spider", "example", "--json", cwd=project).out)
    (row,) = [row for row in rows if row["name"] == "REQUIRED_FIELDS"]
    assert row == {
        "name": "REQUIRED_FIELDS",
        "value": ["text"],
        "type": "list[str]",
        "origin": "spider example",
        "description": "Declared by RequireFields",
    }


def test_a_url_is_no_code(crawler: Crawler, project: Path) -> None:
    assert crawler("genspider", "books", 'x.example/"]{name}\\', cwd=project).status == 0
    assert crawler("list", cwd=project).out == "books\nexample\n"


@pytest.mark.process
def test_the_version_and_the_help(crawler: Crawler) -> None:
    assert crawler("version").out.startswith("crawler 0.")
    assert crawler("--version") == crawler("version")
    assert "python 3." in crawler("version", "-v").out
    for name in ("crawl", "run", "resume", "jobs", "explain", "list", "fetch", "settings", "startproject", "genspider"):
        result = crawler(name, "--help")
        assert result.status == 0
        assert result.out.startswith(f"Usage: crawler {name}")
    assert "crawl " in crawler().out
