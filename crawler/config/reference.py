"""What is written about the crawler's own settings, in a table and in docs/settings.md?"""

from __future__ import annotations

from typing import Final

import msgspec

from crawler.config.kinds import Kind, Value, bare, type_name
from crawler.config.layers import CORE_KINDS
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings

_INTRODUCTION: Final = """\
# Settings

<!-- Made by `python -m crawler.scrapy.names.reference > docs/settings.md`; a test compares. -->

Where a setting may be given, the later ones win: the default; `settings.py` of the project; the spider's
`custom_settings` and `update_settings`; the script that calls `crawl()`; the command line (`-s NAME=VALUE` and the
options made for some). A wrong type, a value out of bounds and a misspelt name are errors before anything starts, told
all at once. `crawler settings` shows value, type and origin of each, `crawler settings --spider NAME` those of one
spider.

On the command line a list is `a,b` or JSON, a dictionary is JSON, `none` is None, a truth value is `true`/`false`,
`yes`/`no`, `on`/`off` or `1`/`0`. Times are seconds, sizes are bytes. Numbers must be finite.

A component (a stage, middleware, extension, spider, …) declares its own settings as annotated class attributes in
upper case, `SQLITE_PATH: str = "items.db"`; they are then set like any other, and the instance has the value.

Any other name is the project's own: `settings.get("MONGO_URI")` and `settings["MONGO_URI"]` read it (None where nobody
set it), and `crawler settings` shows it as "own". From the command line it is a text; `settings.getint`, `getbool` and
their like read it as what it should be. A name is taken for a misspelling, and is an error, if one letter is all that
keeps it from a known name (two from 12 letters on): left out, added, wrong, swapped, of the wrong case. A plural
(`USER_AGENTS`) and a longer name (`USER_AGENT_2`) are the project's own.
"""


class SettingRow(msgspec.Struct):
    """One setting as `crawler settings` shows it."""

    name: str
    value: Value
    type: str
    origin: str
    description: str


def setting_rows(settings: Settings) -> list[SettingRow]:
    """Return a row for each setting: the crawler's in the schema's order, those of components, the project's own."""
    rows = [
        SettingRow(name, settings[name], type_name(kind), settings.origin(name), description(kind))
        for name, kind in CORE_KINDS.items()
    ]
    for entry in sorted(settings.declared()):
        said = description(entry.kind) or f"Declared by {entry.component}"
        rows.append(
            SettingRow(entry.name, settings.get(entry.name), type_name(entry.kind), settings.origin(entry.name), said)
        )
    rows += [
        SettingRow(name, value, "own", settings.origin(name), "The project's own")
        for name, value in settings.own().items()
    ]
    return rows


def description(kind: Kind) -> str:
    """Return what the annotation says the setting does."""
    return next((meta.description for meta in reversed(bare(kind)[1]) if meta.description), "")


def own_page() -> str:
    """Return the first part of docs/settings.md: of the crawler's own settings."""
    lines = [
        _INTRODUCTION,
        "## The crawler's own",
        "",
        "| setting | type | default | what it does |",
        "|---|---|---|---|",
    ]
    defaults = CoreSettings()
    for name, kind in CORE_KINDS.items():
        default = _code(getattr(defaults, name))
        lines.append(f"| `{name}` | {cell(type_name(kind))} | {default} | {cell(description(kind))} |")
    return "\n".join(lines) + "\n"


def _code(value: Value) -> str:
    shown = msgspec.json.encode(value).decode() if isinstance(value, (dict, list)) else repr(value)
    return f"`{shown}`".replace("|", "\\|")


def cell(text: str) -> str:
    """Return a text as it stands in a table."""
    return text.replace("|", "\\|")
