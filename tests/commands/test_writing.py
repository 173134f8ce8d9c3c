"""genspider's options, templates of one's own, edit and bench."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler

SHOWS = f"{sys.executable} -c 'import sys; print(open(sys.argv[1]).read())'"
"""An editor that prints what it is given."""


@pytest.fixture
def own(folder: Path) -> Path:
    """A folder with templates of one's own."""
    made = folder / "templates"
    (made / "spiders").mkdir(parents=True)
    (made / "spiders" / "shop.tmpl").write_text("# $name $module $classname $domain $url $$\n")
    (made / "spiders" / "basic.tmpl").write_text("# our own\n")
    (made / "project" / "spiders").mkdir(parents=True)
    (made / "project" / "settings.py.tmpl").write_text('NAME = "$project_name $ProjectName"\n')
    (made / "project" / "spiders" / "${project_name}.txt").write_bytes(b"$5 \xff")
    return made


def test_the_templates_are_listed_and_shown(crawler: Crawler, own: Path) -> None:
    assert crawler("genspider", "-l").out.split() == ["basic", "crawl", "csvfeed", "xmlfeed"]
    listed = crawler("genspider", "--list", "-s", f"TEMPLATES_DIR={own}").out.split()
    assert listed == ["basic", "shop", "crawl", "csvfeed", "xmlfeed"]
    assert 'name = "$name"' in crawler("genspider", "-d", "crawl").out
    assert crawler("genspider", "--dump", "basic", "-s", f"TEMPLATES_DIR={own}").out == "# our own\n"


def test_a_template_of_ones_own_is_filled(crawler: Crawler, project: Path, own: Path) -> None:
    (project / "settings.py").write_text(f"TEMPLATES_DIR = {str(own)!r}\n")
    assert crawler("genspider", "-t", "shop", "my-shop", "Shop.example/a", cwd=project).status == 0
    text = (project / "spiders" / "my_shop.py").read_text()
    assert text == "# my-shop my_shop MyShop shop.example https://shop.example/a $\n"


def test_a_project_is_made_from_ones_own_files(crawler: Crawler, own: Path, folder: Path) -> None:
    assert crawler("startproject", "-s", f"TEMPLATES_DIR={own}", "big-shop", "there").status == 0
    assert (folder / "there" / "settings.py").read_text() == 'NAME = "big-shop BigShop"\n'
    assert (folder / "there" / "spiders" / "big-shop.txt").read_bytes() == b"$5 \xff"


@pytest.mark.parametrize(
    ("text", "said"),
    [("$nme", "has $nme; there are $name, $module, $classname, $url, $domain"), ("5$", "a $ by itself is written $$")],
)
def test_a_template_that_cannot_be_filled_is_told(
    crawler: Crawler, project: Path, own: Path, text: str, said: str
) -> None:
    (own / "spiders" / "shop.tmpl").write_text(text)
    done = crawler("genspider", "-s", f"TEMPLATES_DIR={own}", "-t", "shop", "a", "b.example", cwd=project)
    assert (done.status, said in done.err) == (2, True), done.err
    assert not (project / "spiders" / "a.py").exists()


def test_a_folder_of_templates_that_is_not_there_is_told(crawler: Crawler) -> None:
    for words in (["genspider", "-l"], ["startproject", "x"]):
        done = crawler(*words, "-s", "TEMPLATES_DIR=nowhere")
        assert (done.status, "TEMPLATES_DIR: there is no folder nowhere" in done.err) == (2, True)


def test_genspider_asks_for_what_it_needs(crawler: Crawler, project: Path) -> None:
    for words in ([], ["shop"]):
        assert "crawler genspider NAME URL" in crawler("genspider", *words, cwd=project).err
    assert 'no template "basc"; did you mean "basic"' in crawler("genspider", "-d", "basc", cwd=project).err


@pytest.mark.process
def test_edit_opens_the_file_of_a_spider(crawler: Crawler, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", SHOWS)
    assert "class Example" in crawler("edit", "example", cwd=project).out
    assert "class Shop" in crawler("genspider", "-e", "shop", "a.example", cwd=project).out
    assert crawler("edit", "example", "-s", "EDITOR=sh -c 'exit 3'", cwd=project).status == 3
    assert 'did you mean "example"' in crawler("edit", "exampl", cwd=project).err
    (project / "spiders" / "broken.py").write_text("def broken(:\n")
    assert "def broken(:" in crawler("edit", "broken", cwd=project).out
    done = crawler("edit", "example", "-s", "EDITOR=none/such", cwd=project)
    assert (done.status, "the editor 'none/such' cannot be started: No such file" in done.err) == (2, True)


@pytest.mark.process
def test_bench_says_how_fast_it_was(crawler: Crawler) -> None:
    done = crawler("bench", "-s", "CLOSESPIDER_PAGECOUNT=40", "-s", "LOGSTATS_INTERVAL=0")
    assert done.status == 0, done.err
    assert re.fullmatch(r"[\d,]+ pages in [\d.]+ s: [\d,]+ pages/minute \([\d,]+/s\)\n", done.out)
    assert int(done.out.split()[0].replace(",", "")) >= 40
