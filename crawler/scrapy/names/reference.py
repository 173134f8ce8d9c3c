"""What is written about the settings, the crawler's and Scrapy's: the page docs/settings.md?

``python -m crawler.scrapy.names.reference`` prints the page; a test compares it with the file.
"""

from __future__ import annotations

import sys
from typing import Final

from crawler.config.reference import cell, own_page
from crawler.scrapy.names.table import SCRAPY_NAMES

_FATES: Final = {
    "same": "The same name, type and meaning.",
    "alike": "The same name and type; in the table is what differs.",
    "mapped": "Understood, and turned into settings of ours.",
    "ignored": "Without effect; one warning names those that are set to something.",
    "refused": "An error before the start, unless empty: the crawl would not do what the setting asks for.",
}


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
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
