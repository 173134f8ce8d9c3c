"""Is a file rightly taken for a script that starts its own crawl, or for one with a spider to be run?"""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.commands.reading import imports_scrapy, starts_itself

SPIDER = "import scrapy\nfrom scrapy.crawler import CrawlerProcess\n\nclass A(scrapy.Spider):\n    name = 'a'\n"
GUARD = "if __name__ == '__main__':\n    "
START = "CrawlerProcess().start()\n"


@pytest.mark.parametrize(
    ("text", "alone", "with_options"),
    [
        (SPIDER, False, False),  # the name is imported, and not used
        (SPIDER + "# " + START, False, False),
        (SPIDER + START, True, True),
        (SPIDER + GUARD + START, True, False),
        (SPIDER + "def main():\n    " + START, False, False),
        (SPIDER + "def main():\n    " + START + "main()\n", True, True),
        (SPIDER + "class Runner:\n    def run(self):\n        " + START + GUARD + "Runner().run()\n", True, False),
        (SPIDER + "def main():\n    " + START + GUARD + "Process(target=main).start()\n", True, False),
        ("from scrapy import cmdline\ncmdline.execute('scrapy crawl a'.split())\n", True, True),
        ("from scrapy.cmdline import execute\n" + GUARD + "execute(['scrapy', 'crawl', 'a'])\n", True, True),
        ("import beside\nbeside.main()\n", True, True),
        ("import scrapy\nfrom beside import main\nWORD = 'a'\n", False, False),
        ("import crawler\n", False, False),
        ("import scrapy\ndef f(:\n", False, False),
    ],
)
def test_a_script_is_what_starts_a_crawl_when_it_is_run(
    tmp_path: Path, text: str, alone: bool, with_options: bool
) -> None:
    (tmp_path / "beside.py").write_text("from scrapy.crawler import CrawlerProcess\ndef main():\n    " + START)
    file = tmp_path / "main.py"
    file.write_text(text)

    assert starts_itself(file, with_options=False) is alone
    assert starts_itself(file, with_options=True) is with_options


def test_modules_beside_a_file_that_import_each_other_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("import two\n")
    (tmp_path / "two.py").write_text("import one\nfrom package import three\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "three.py").write_text("")

    assert not imports_scrapy(tmp_path / "one.py")
    (tmp_path / "package" / "three.py").write_text("import scrapy.http\n")
    assert imports_scrapy(tmp_path / "one.py")
