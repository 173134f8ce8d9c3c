"""What does a feed make of items, wherever it writes them?"""

from __future__ import annotations

from dataclasses import dataclass

from crawler.feeds.formats.base import Format
from crawler.feeds.items import Fields


@dataclass(frozen=True, slots=True)
class Shape:
    """Which items and fields are written, and in which format.

    ``name`` is what the job's marks call the format. ``store_empty``: there is an output even if no item comes.
    """

    form: Format
    fields: Fields
    name: str
    store_empty: bool = True
