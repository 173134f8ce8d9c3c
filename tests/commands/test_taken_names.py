"""May a spider's file have a name that something else has, and whose is an error in the user's syntax?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Crawler

SPIDER = """\
from crawler import Spider


class Pages(Spider):
    name = "pages"
    start_urls = ["data:text/html,<p>x"]

    def parse(self, response):
        yield {"text": response.css("p::text").get()}
"""


@pytest.mark.process
@pytest.mark.parametrize("name", ["attr", "csv", "cryptography", "scrapy", "twisted"])
def test_a_spider_s_file_may_have_a_name_that_is_taken(process: Crawler, folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text(SPIDER)
    result = process("run", f"{name}.py", "-o", "-:csv", "--nolog")
    assert result == (0, "text\nx\n", "")


def test_so_may_one_that_is_called_as_the_program_is(crawler: Crawler, folder: Path) -> None:
    (folder / "crawler.py").write_text(SPIDER)
    assert crawler("run", "crawler.py", "-o", "-", "--nolog") == (0, '{"text":"x"}\n', "")


def test_so_may_one_at_the_top_of_a_project(crawler: Crawler, project: Path) -> None:
    (project / "crawler.py").write_text(SPIDER)
    assert crawler("run", "crawler.py", "-o", "-", "--nolog", cwd=project) == (0, '{"text":"x"}\n', "")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("crawler/items.py", 'the name "crawler" is taken by an installed package: rename crawler'),
        ("queue.py", 'the name "queue" is taken by a module of Python\'s own: rename queue.py'),
    ],
)
def test_a_file_that_is_hidden_is_named(crawler: Crawler, folder: Path, file: str, said: str) -> None:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text("X = 1\n")
    module = file.removesuffix(".py").replace("/", ".")
    for line in (f"from {module} import X\n", f"import {module.partition('.')[0]} as m\nm.X\n"):
        (folder / "pages.py").write_text(line + SPIDER)
        result = crawler("run", "pages.py")
        assert result.status == 2
        assert result.err.splitlines()[-1] == said


BROKEN = {
    "def process_item(self, item)\n    pass\n": ["line 1", "SyntaxError: expected ':'"],
    "if 1:\n        x = 1\n\tx = 2\n": ["line 3", "TabError: inconsistent use of tabs and spaces in indentation"],
    "import sys\nsys.exit(3)\n": ["line 2, in <module>", "SystemExit: 3"],
}


@pytest.mark.parametrize("source", BROKEN)
@pytest.mark.parametrize(
    ("setting", "file"), [("PIPELINES", "pipelines/broken.py"), ("MIDDLEWARES", "pipelines/broken.py")]
)
def test_an_error_in_the_syntax_of_a_component_is_the_user_s(
    crawler: Crawler, project: Path, source: str, setting: str, file: str
) -> None:
    (project / file).write_text(source)
    with (project / "settings.py").open("a") as settings:
        settings.write(f'{setting} = ["pipelines.broken.Broken"]\n')
    result = crawler("crawl", "example", cwd=project)
    assert result.status == 2
    lines = result.err.splitlines()
    assert lines[0] == f"crawler: {setting} (settings.py): {file} does not import:"
    assert lines[1].startswith(f'  File "{file}", {BROKEN[source][0]}')
    assert lines[-1] == BROKEN[source][1]
