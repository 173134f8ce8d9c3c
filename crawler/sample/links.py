"""What do the pages of a site without end look like, on which the speed of a crawl is measured?

Every page is a pure function of its number; page n links to the LINKS pages behind LINKS * n.
"""

from __future__ import annotations

PATH = "/links/"
LINKS = 20


def page(number: int) -> str:
    """Return a page with links to others, none of which another page has."""
    following = range(LINKS * number + 1, LINKS * number + LINKS + 1)
    links = "".join(f'<li><a href="{PATH}?n={each}">Page {each}</a></li>' for each in following)
    return f"<!DOCTYPE html><html><head><title>Page {number}</title></head><body><ul>{links}</ul></body></html>"
