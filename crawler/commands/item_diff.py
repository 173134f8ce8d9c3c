"""Which items changed between two runs?

Items are matched by a key: a field that every item of both sides has and that names one item only, "url"
or "id" before others. Without such a field, items can only be equal, added or removed.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from crawler.errors import UsageError
from crawler.events import ItemScraped
from crawler.feeds.items import Fields
from crawler.feeds.values import encode_json_lines

_PREFERRED = ("url", "id", "upc", "sku", "name", "title")
_LONGEST = 160

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Item = dict[str, Json]


class _Missing:
    def __repr__(self) -> str:
        return "(none)"


MISSING = _Missing()


class Changed(NamedTuple):
    """An item that is on both sides with other values; ``fields`` are name to (old, new), see MISSING."""

    key: Json
    fields: dict[str, tuple[Json | _Missing, Json | _Missing]]


class Difference(NamedTuple):
    """What changed; ``key`` is the field by which items were matched, None if there was none."""

    key: str | None
    same: int
    added: list[Item]
    removed: list[Item]
    changed: list[Changed]


class Kept:
    """The items of a crawl, as a feed of JSON Lines with these FEED_EXPORT_FIELDS would have them."""

    def __init__(self, names: list[str] | dict[str, str] | None) -> None:
        self.items: list[Item] = []
        self._fields = Fields(dict(zip(names, names, strict=True)) if isinstance(names, list) else names)

    def keep(self, event: ItemScraped) -> None:
        """Keep one; for ``events.subscribe``."""
        self.items.append(json.loads(encode_json_lines(self._fields.of([event.item]))))


def read_items(path: Path) -> list[Item]:
    """Return the items of a JSON Lines file, also of a .gz. Raises UsageError, naming the line."""
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
            return list(_parsed(path, file))
    except (OSError, EOFError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _parsed(path: Path, lines: Iterable[bytes]) -> Iterator[Item]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}, is not JSON: {error}") from error
        if not isinstance(item, dict):
            raise UsageError(f"{path}, line {number}: an item is an object, not {type(item).__name__}")
        yield item


def difference(old: list[Item], new: list[Item], *, key: str | None = None) -> Difference:
    """Compare two lists of items; their order means nothing. Raises UsageError if ``key`` names no item or two."""
    if key is not None:
        for side, items in (("old", old), ("new", new)):
            if items and not _identifies(key, items):
                raise UsageError(
                    f'the {side} items cannot be matched by "{key}": not in all of them, or the same in two'
                )
    else:
        key = _key(old, new)
    before, after = Counter(map(_text, old)), Counter(map(_text, new))
    removed, added = _left(old, before - after), _left(new, after - before)
    same = len(new) - len(added)
    if key is None:
        return Difference(None, same, added, removed, [])
    were = {_text(item[key]): item for item in removed}
    changed, unknown = [], []
    for item in added:
        was = were.pop(_text(item[key]), None)
        if was is None:
            unknown.append(item)
        else:
            changed.append(Changed(item[key], _fields(was, item)))
    return Difference(key, same, unknown, list(were.values()), changed)


def _key(old: list[Item], new: list[Item]) -> str | None:
    first = next(iter(old or new), {})
    names = [name for name in _PREFERRED if name in first] + [name for name in first if name not in _PREFERRED]
    return next((name for name in names if _identifies(name, old) and _identifies(name, new)), None)


def _identifies(name: str, items: list[Item]) -> bool:
    values = [item[name] for item in items if item.get(name) is not None]
    return len(values) == len(items) == len(set(map(_text, values)))


def _left(items: list[Item], counts: Counter[str]) -> list[Item]:
    left = []
    for item in items:
        text = _text(item)
        if counts[text] > 0:
            counts[text] -= 1
            left.append(item)
    return left


def _fields(old: Item, new: Item) -> dict[str, tuple[Json | _Missing, Json | _Missing]]:
    pairs = {name: (old.get(name, MISSING), new.get(name, MISSING)) for name in [*old, *new]}
    return {name: pair for name, pair in pairs.items() if MISSING in pair or _text(pair[0]) != _text(pair[1])}


def _text(value: Json | _Missing) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def report(found: Difference) -> Iterator[str]:
    """Yield the lines of a readable report: ``~`` changed, ``+`` added, ``-`` removed, and the counts."""
    for each in found.changed:
        yield f"~ {found.key} {_shown(each.key)}"
        for name, (old, new) in each.fields.items():
            yield f"    {name}: {_shown(old)} → {_shown(new)}"
    for sign, items in (("+", found.added), ("-", found.removed)):
        for item in items:
            yield f"{sign} {_shown(item)}"
    counts = (
        f"{len(found.changed)} changed, {len(found.added)} added, {len(found.removed)} removed, {found.same} the same"
    )
    yield counts + (f" (matched by {found.key})" if found.key is not None else "")


def _shown(value: Json | _Missing) -> str:
    text = repr(value) if value is MISSING else _text(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
