"""How is a result of start() recognised when start() runs again?"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from itemadapter import ItemAdapter

from crawler.model.request import Request


def digest(result: Any, fingerprint: Callable[[Request], int]) -> int:
    """Return an unsigned 64-bit number: a request's fingerprint, or a digest of an item's fields."""
    if isinstance(result, Request):
        return fingerprint(result) if result.problem is None else _number(result.url)
    if ItemAdapter.is_item(result):
        return _number(repr(sorted(ItemAdapter(result).asdict().items(), key=lambda pair: str(pair[0]))))
    return _number(repr(result))


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
