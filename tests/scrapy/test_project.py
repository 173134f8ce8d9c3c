"""Does a project that was written for Scrapy run as it is, and is what is wrong with one told?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler
from tests.scrapy.conftest import FILES, Write

CRAWL = ("-o", "-", "-L", "WARNING", "-s", "TELNETCONSOLE_ENABLED=False")
SPIDER = FILES["shop/spiders/words.py"]


def test_a_project_is_found_from_any_folder_in_it(project: Write, in_project: Crawler) -> None:
    root = project()

    assert in_project("list", cwd=root / "shop" / "spiders").out == "words\n"
    assert in_project("list", cwd=root / "shop").out == "words\n"
    crawled = in_project("crawl", "words", *CRAWL, cwd=root)
    assert json.loads(crawled.out) == {"word": "hello"}, crawled.err


def test_a_spiders_file_is_run_without_a_project(folder: Path, in_project: Crawler) -> None:
    (folder / "base.py").write_text("import scrapy\n\n\nclass Base(scrapy.Spider):\n    pass\n")
    text = SPIDER.replace("import scrapy", "from base import Base").replace("scrapy.Spider", "Base")
    (folder / "alone.py").write_text(text)

    crawled = in_project("run", "alone.py", *CRAWL)

    assert json.loads(crawled.out) == {"word": "hello"}, crawled.err


def test_scrapy_project_chooses_one_of_the_settings_modules(
    project: Write, in_project: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(
        {
            "scrapy.cfg": "[settings]\ndefault = shop.settings\nnight = shop.night\n",
            "shop/night.py": 'from shop.settings import *\nBOT_NAME = "night"\n',
        }
    )

    assert in_project("settings", "--get", "BOT_NAME").out == "shop\n"
    monkeypatch.setenv("SCRAPY_PROJECT", "night")
    assert in_project("settings", "--get", "BOT_NAME").out == "night\n"
    monkeypatch.setenv("SCRAPY_PROJECT", "day")
    failed = in_project("list")
    assert 'SCRAPY_PROJECT=day: [settings] of scrapy.cfg has no "day" (there are: default, night)' in failed.err
    assert failed.status != 0


def test_the_environment_names_a_settings_module_where_there_is_no_cfg(
    project: Write, in_project: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project() / "scrapy.cfg").unlink()
    monkeypatch.setenv("SCRAPY_SETTINGS_MODULE", "shop.settings")

    assert in_project("list").out == "words\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"scrapy.cfg": "[settings]\ndefault = shops.settings\n"},
            "scrapy.cfg ([settings]) names the settings module shops.settings, which is not there",
        ),
        ({"scrapy.cfg": "[settings\n"}, "scrapy.cfg cannot be read: "),
        ({"shop/settings.py": "import json\n\n1 / 0\n"}, "ZeroDivisionError: division by zero"),
        (
            {"shop/settings.py": "import scrapy_like_it\n"},
            "scrapy_like_it is not installed in this environment; `crawler",
        ),
        ({"shop/settings.py": "import nothing_like_it\n"}, "No module named 'nothing_like_it'"),
    ],
)
def test_settings_that_are_not_there_or_do_not_import_are_an_error(
    project: Write, in_project: Crawler, files: dict[str, str], said: str
) -> None:
    project(files)

    failed = in_project("crawl", "words")

    assert failed.status == 1, failed
    assert said in failed.err


def test_two_spiders_of_one_name_are_named_and_the_others_run(project: Write, in_project: Crawler) -> None:
    project(
        {
            "shop/spiders/again.py": SPIDER.replace("Words", "Again").replace("hello", "again"),
            "shop/spiders/other.py": SPIDER.replace('"words"', '"other"'),
        }
    )

    failed = in_project("crawl", "words")
    assert failed.status == 1
    assert 'two spiders are named "words": shop.spiders.again.Again and shop.spiders.words.Words' in failed.err
    assert json.loads(in_project("crawl", "other", *CRAWL).out) == {"word": "hello"}


def test_with_warn_only_the_later_of_two_spiders_runs_as_in_scrapy(project: Write, in_project: Crawler) -> None:
    settings = FILES["shop/settings.py"] + "SPIDER_LOADER_WARN_ONLY = True\n"
    project(
        {
            "shop/settings.py": settings,
            "shop/spiders/again.py": SPIDER.replace("Words", "Again").replace("hello", "again"),
            "shop/spiders/broken.py": "import nothing_like_it\n",
        }
    )

    listed = in_project("list")
    assert (listed.status, listed.out) == (0, "words\n")
    assert 'warning: two spiders are named "words": ' in listed.err
    assert "warning: shop/spiders/broken.py does not import: ModuleNotFoundError: No module named" in listed.err
    assert json.loads(in_project("crawl", "words", *CRAWL).out) == {"word": "hello"}


def test_a_loader_of_the_projects_own_finds_its_spiders(project: Write, in_project: Crawler) -> None:
    project(
        {
            "shop/settings.py": FILES["shop/settings.py"] + 'SPIDER_LOADER_CLASS = "shop.loader.Loader"\n',
            "shop/loader.py": (
                "from scrapy.spiderloader import SpiderLoader\n\n\n"
                "class Loader(SpiderLoader):\n"
                "    def list(self):\n        return [name.upper() for name in super().list()]\n\n"
                "    def load(self, spider_name):\n        return super().load(spider_name.lower())\n"
            ),
        }
    )

    assert in_project("list").out == "WORDS\n"


def test_a_package_named_crawler_is_found_beside_ours_and_a_clash_is_told(project: Write, in_project: Crawler) -> None:
    files = {name.replace("shop/", "crawler/"): text.replace("shop", "crawler") for name, text in FILES.items()}
    files["crawler/__init__.py"] = "SHOP = 'crawler'\n"
    files["crawler/errors.py"] = ""
    files["crawler/items.py"] = "from crawler import SHOP\n"
    files["crawler/spiders/words.py"] = "from crawler import Request, items\n" + SPIDER
    project(files)

    crawled = in_project("crawl", "words", *CRAWL)

    assert crawled.out, crawled.err
    assert json.loads(crawled.out) == {"word": "hello"}, crawled.err
    assert "crawler/errors is hidden by crawler.errors of this program" in crawled.err
    assert "crawler/spiders" not in crawled.err


def test_a_native_project_below_stays_native_and_a_leftover_import_is_told(project: Write, in_project: Crawler) -> None:
    root = project(
        {
            "tools/settings.py": "",
            "tools/spiders/__init__.py": "",
            "tools/spiders/left.py": SPIDER.replace("import scrapy", "import scrapy.x"),
        }
    )

    failed = in_project("crawl", "left", cwd=root / "tools")

    assert failed.status == 2
    assert 'write "import crawler as scrapy", or "from crawler import …"' in failed.err


def test_a_new_spider_goes_to_newspider_module_and_imports_scrapy(project: Write, in_project: Crawler) -> None:
    root = project()

    assert in_project("genspider", "fresh", "example.com", cwd=root / "shop").status == 0
    assert "from scrapy import Spider" in (root / "shop" / "spiders" / "fresh.py").read_text()
    assert in_project("list").out == "fresh\nwords\n"


def test_commands_for_one_page_work_in_a_project(project: Write, in_project: Crawler) -> None:
    project()

    assert in_project("fetch", "data:text/plain,hello").out == "hello"
    shell = in_project("shell", "-c", "response.url, spider.name", "data:text/plain,hello")
    assert shell.out == "('data:text/plain,hello', 'shell')\n", shell.err
    assert "{'word': 'hello'}" in in_project("parse", "--spider", "words", "data:text/html,<p>hello</p>").out


@pytest.mark.process
def test_the_file_of_a_spider_is_opened_in_the_editor(project: Write, in_project: Crawler) -> None:
    project()

    assert in_project("edit", "words", "-s", "EDITOR=echo").out.strip().endswith("shop/spiders/words.py")


def test_a_crawl_that_has_begun_ends_with_status_0_as_in_scrapy_unless_fail_on_says_more(
    project: Write, in_project: Crawler
) -> None:
    project({"shop/spiders/words.py": SPIDER.replace("yield {", "raise ValueError\n        yield {")})

    assert in_project("crawl", "words", "--nolog").status == 0
    assert in_project("crawl", "words", "--nolog", "--fail-on", "callback").status == 1


def test_the_log_says_once_that_the_door_is_open(project: Write, in_project: Crawler) -> None:
    project()

    assert in_project("crawl", "words", "-L", "INFO").err.count("The door is open") == 1


@pytest.mark.parametrize("setting", ["ITEM_PIPELINES", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES"])
def test_a_plug_in_that_is_not_installed_is_named_with_the_setting(
    project: Write, in_project: Crawler, setting: str
) -> None:
    text = FILES["shop/settings.py"] + f'{setting} = {{"scrapy_nothing.middleware.Nothing": 500}}\n'
    project({"shop/settings.py": text})

    failed = in_project("crawl", "words")

    assert failed.status == 1
    assert setting in failed.err
    assert "scrapy_nothing" in failed.err


def test_a_component_that_scrapy_has_no_more_comes_with_todays_name(project: Write, in_project: Crawler) -> None:
    gone = "scrapy.contrib.downloadermiddleware.useragent.UserAgentMiddleware"
    project({"shop/settings.py": FILES["shop/settings.py"] + f'DOWNLOADER_MIDDLEWARES = {{"{gone}": None}}\n'})

    failed = in_project("crawl", "words")

    assert failed.status == 1
    assert "scrapy.contrib.downloadermiddleware.useragent is no more" in failed.err
    assert "DOWNLOADER_MIDDLEWARES" in failed.err


def test_the_long_names_of_scrapys_options_are_understood(project: Write, in_project: Crawler) -> None:
    root = project()

    done = in_project("crawl", "words", "--overwrite-output", "a.json", "--output", "b.csv", "--set", "LOG_LEVEL=ERROR")

    assert done.status == 0, done.err
    assert json.loads((root / "a.json").read_text()) == [{"word": "hello"}]
    assert (root / "b.csv").read_text().split() == ["word", "hello"]


def test_check_tries_the_contracts_of_a_project(project: Write, in_project: Crawler) -> None:
    contract = '"""\n        @url data:text/html,<p>hello</p>\n        @returns items 2\n        """'
    project({"shop/spiders/words.py": SPIDER.replace("yield {", f"{contract}\n        yield {{")})

    checked = in_project("check")

    assert checked.status == 1
    assert "2" in checked.out + checked.err


def test_an_add_on_may_say_where_the_spiders_are(project: Write, in_project: Crawler) -> None:
    project(
        {
            "shop/settings.py": 'BOT_NAME = "shop"\nADDONS = {"shop.addon.Addon": 1}\n',
            "shop/addon.py": (
                "class Addon:\n    @classmethod\n    def update_pre_crawler_settings(cls, settings):\n"
                '        settings.set("SPIDER_MODULES", ["shop.spiders"], "addon")\n'
            ),
        }
    )

    assert in_project("list").out == "words\n"
