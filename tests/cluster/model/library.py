"""The function library with a clock that a test sets, and with a fault if one is wished for.

What is shipped has no switches: the text is patched, and it is an error if a patched passage is not there.
"""

from __future__ import annotations

from typing import NamedTuple

from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.library import TEMPLATE, load, named

Patch = list[tuple[str, str]]

_CLOCK: Patch = [
    ("local x = call('TIME')\n  return x[1] * 1000 + floor(x[2] / 1000)", "return tonumber(call('GET', 'sim'))"),
    (
        "if not process then process = string.match(call('INFO', 'server'), 'run_id:(%w+)') or '' end\n"
        "  return process",
        "return call('GET', 'run')",
    ),
]


class Library(NamedTuple):
    """A loaded library, by its name."""

    connection: Connection
    name: str


def loaded(connection: Connection, patch: Patch | None = None) -> Library:
    """Load the library with the clock of the model and a patch."""
    source = TEMPLATE
    for old, new in _CLOCK + (patch or []):
        assert source.count(old) == 1, f"this passage is there {source.count(old)} times:\n{old}"
        source = source.replace(old, new)
    name, text = named(source)
    load(connection, text)
    return Library(connection, name)
