"""How does an item travel that is to be found again in the next run?

As a tuple of the item and where it comes from: the token of its request, the URL of its page, and its key. No item is a
tuple, so whoever takes items apart can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Keyed: TypeAlias = tuple[Any, int, str, str | int]
"""(item, token, page, key). A key that is a number is the item's place on its page, from 0; it is below 0, as
-1 - place, where the page is another than the URL of the request that the token names."""


def bare(items: Sequence[Any]) -> Sequence[Any]:
    """Return the items without where they come from."""
    return [item[0] if type(item) is tuple else item for item in items]


def key_text(page: str, key: str | int) -> str:
    """Return a key as people read it: without a key of its own the first item of a page has the page's URL."""
    if isinstance(key, str):
        return key
    place = key if key >= 0 else -1 - key
    return f"{page} {place + 1}" if place else page
