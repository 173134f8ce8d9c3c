"""Is ``import scrapy`` ours behind the door, whatever is installed, and are the modules that are not there named?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

INSTALLED = {
    "scrapy/__init__.py": "from scrapy.item import Item\nimport scrapy.item\nREAL = True\n",
    "scrapy/item.py": "class Item(dict):\n    pass\n",
    "scrapy_plugin.py": "import scrapy.signals\nSIGNALS = scrapy.signals\n",
}
"""What stands for a Scrapy that is installed, and a plug-in that has brought it."""


def said_by(script: str, folder: Path) -> list[str]:
    """Return the lines that a script prints, in a process of its own, as warnings are errors in it."""
    file = folder / "main.py"
    file.write_text(script)
    done = subprocess.run([sys.executable, "-W", "error", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with a Scrapy that is not ours, first on the path of scripts in it."""
    for name, text in INSTALLED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_module_is_one_object_under_both_names_and_the_installed_scrapy_is_not_looked_at(installed: Path) -> None:
    said = said_by(
        """
import itemadapter  # asks whether Scrapy is there, and finds the installed one
import crawler.scrapy.door
import scrapy, sys
import scrapy_plugin
from scrapy import signals

print(hasattr(scrapy, "REAL"), scrapy.__name__)
print(sys.modules["scrapy.signals"] is sys.modules["crawler.scrapy.signals"] is signals is scrapy_plugin.SIGNALS)
print(scrapy is sys.modules["crawler.scrapy"])
""",
        installed,
    )

    assert said == ["False crawler.scrapy", "True", "True"]


def test_itemadapter_knows_our_items_and_never_sees_the_installed_scrapy(installed: Path) -> None:
    said = said_by(
        """
import crawler.scrapy.door
from itemadapter import ItemAdapter
from itemadapter._imports import scrapy as seen
from crawler import Field, Item

class Book(Item):
    title = Field(serializer=str)

print(seen, ItemAdapter(Book(title="a")).get_field_meta("title"))
""",
        installed,
    )

    assert said == ["None {'serializer': <class 'str'>}"]


def test_a_module_that_is_read_as_an_attribute_is_imported(tmp_path: Path) -> None:
    script = "import crawler.scrapy.door\nimport scrapy\nprint(scrapy.signals.spider_closed is not None)\n"

    assert said_by(script, tmp_path) == ["True"]


NOT_THERE = {
    "import scrapy.core.engine": "scrapy.core.engine is not here: crawler.engine of",
    "from scrapy.core.scheduler import Scheduler": "scrapy.core.scheduler is not here: the job store is the",
    "from scrapy.core import engine": "scrapy.core.engine is not here",
    "from scrapy.core.downloader.handlers.http11 import X": "scrapy.core.downloader.handlers.http11.X is not here",
    "from scrapy.contrib.spiders import CrawlSpider": "what is used today: scrapy.spiders",
    "from scrapy.contrib.loader.processor import Join": "what is used today: itemloaders.processors",
    "from scrapy import log": "scrapy has no log any more: logging.getLogger(__name__)",
    "from scrapy.xlib import pydispatch": "crawler.signals.connect(receiver, signal)",
    "import scrapy.conf": "what is used today: crawler.settings",
    "from scrapy.commands.parse import Command": "scrapy.commands.parse.Command is not here: the commands are",
    "import scrapy.squeues; scrapy.squeues.FifoMemoryQueue": "the job store is the queue",
    "import scrapy.names.gone": "there is no scrapy.names here",
    "import scrapy.project_of_nobody": "there is no scrapy.project_of_nobody",
}


def test_what_is_not_there_says_what_is_used_instead(tmp_path: Path) -> None:
    script = "import crawler.scrapy.door\n"
    script += "".join(
        f"try:\n    {statement}\nexcept ImportError as error:\n    print(error)\n" for statement in NOT_THERE
    )

    said = said_by(script, tmp_path)

    assert len(said) == len(NOT_THERE)
    assert [line for line, expected in zip(said, NOT_THERE.values(), strict=True) if expected not in line] == []


def test_the_error_of_proxies_that_middlewares_ask_for_is_there_in_a_module_that_is_not(tmp_path: Path) -> None:
    script = (
        "import crawler.scrapy.door\n"
        "from scrapy.core.downloader.handlers.http11 import TunnelError\n"
        "from crawler.scrapy.adapters.errors import as_scrapy_error\n"
        "from crawler.errors import ProxyError\n"
        "print(isinstance(as_scrapy_error(ProxyError('refused')), TunnelError))\n"
    )

    assert said_by(script, tmp_path) == ["True"]


def test_a_module_that_nobody_uses_is_no_error_though_it_is_not_here(tmp_path: Path) -> None:
    script = "import crawler.scrapy.door\nfrom scrapy.commands import parse\nimport scrapy.utils.display\nprint(1)\n"

    assert said_by(script, tmp_path) == ["1"]
