"""What is written about the settings, the crawler's and Scrapy's: the page docs/settings.md?

``python -m crawler.scrapy.names.reference`` prints the page; a test compares it with the file.
"""

from __future__ import annotations

import sys
from typing import Final

from crawler.config.reference import cell, own_page
from crawler.scrapy.names.table import SCRAPY_NAMES
from crawler.scrapy.names.theirs import THEIRS

_FATES: Final = {
    "same": "The same name, type and meaning.",
    "alike": "The same name and type; in the table is what differs.",
    "mapped": "Understood, and turned into settings of ours.",
    "ignored": "Without effect; one warning names those that are set to something.",
    "refused": "An error before the start, unless empty: the crawl would not do what the setting asks for.",
}

_THERE: Final = (
    "The dialect of a crawl is that of its spider's class. For a spider of Scrapy's, `crawler.settings` has Scrapy's "
    "values, and what is set means what Scrapy means by it: texts are read as numbers, lists and JSON; "
    "CONCURRENT_REQUESTS = 0 is no limit; a delay is shorter or longer by DOWNLOAD_DELAY_JITTER. A name that only the "
    "crawler knows is the project's own there, unless it is written `CRAWLER_NAME` or given by `-s`; an unknown name "
    'is no error. What is "refused" above is left out with a warning; a SCHEDULER of the project\'s alone is an error. '
    "These are read in Scrapy's own words:"
)


def page() -> str:
    """Return docs/settings.md."""
    lines = [own_page(), "## Scrapy's", "", "What becomes of each setting of Scrapy 2.19 here.", ""]
    for fate, meaning in _FATES.items():
        names = {name: row for name, row in SCRAPY_NAMES.items() if row.fate == fate}
        lines += [f"### {fate.capitalize()}", "", meaning, ""]
        if fate == "same":
            lines += [", ".join(f"`{name}`" for name in names), ""]
        else:
            lines += ["| Scrapy's setting | here |", "|---|---|"]
            lines += [f"| `{name}` | {cell(row.note)} |" for name, row in names.items()] + [""]
    lines += ["### In a crawl of a Scrapy spider", "", _THERE, "", "| Scrapy's settings | there |", "|---|---|"]
    for note in dict.fromkeys(THEIRS.values()):
        several = ", ".join(f"`{name}`" for name, said in THEIRS.items() if said == note)
        lines.append(f"| {several} | {cell(note)} |")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
