"""Which value has each setting, from where, and what does it do? ``crawler settings``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Unpack, cast

import click
import msgspec
from rich.console import Console
from rich.text import Text

from crawler.commands.loading import settings_here
from crawler.commands.options import Decorated, Given, add_options, command_line_settings, settings_options
from crawler.commands.showing import as_typed, say, say_json, shown, without_passwords
from crawler.config.kinds import Value
from crawler.config.nearest import did_you_mean
from crawler.config.reference import SettingRow, setting_rows
from crawler.config.settings import Settings
from crawler.errors import SettingError, UsageError
from crawler.steering.settings import DEFAULT, LIVE, together
from crawler.storage.trace import facts_below

_READ = {
    "get": "Print the value of one setting alone.",
    "getbool": "The same, as true or false.",
    "getint": "The same, as a whole number.",
    "getfloat": "The same, as a number.",
    "getlist": "The same, as a list in JSON; a text is split at commas.",
    "getdict": "The same, as an object in JSON.",
}
"""The options that print one value, by the method of Settings that reads it."""


def _reading_options(command: Decorated) -> Decorated:
    def chosen(context: click.Context, option: click.Parameter, name: str | None) -> None:
        if name is None:
            context.params.setdefault("read", None)
        elif context.params.get("read"):
            raise UsageError("one of --get, --getbool and the like at a time")
        else:
            context.params["read"] = (option.opts[0].removeprefix("--"), name)

    return add_options(
        command,
        [
            click.option(f"--{method}", metavar="NAME", expose_value=False, callback=chosen, help=text)
            for method, text in _READ.items()
        ],
    )


def _read(settings: Settings, method: str, name: str) -> Value:
    """Return a value as a method of Settings reads it. Raises SettingError."""
    try:
        return cast(Value, getattr(settings, method)(name))
    except (SettingError, TypeError, ValueError) as error:
        shown = as_typed(without_passwords(name, settings.get(name)))
        raise SettingError(f"{name} = {shown} cannot be read by {method}: {error}") from error


@click.command()
@click.argument("names", nargs=-1)
@click.option("--spider", metavar="SPIDER", help="With this spider's custom_settings.")
@click.option(
    "--job", "of_job", metavar="JOB", help="Of a job: as its command set them, and as they were changed while it ran."
)
@click.option("--changed", is_flag=True, help="Only those that are not at their default.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, a list of objects.")
@_reading_options
@settings_options
def command(
    names: tuple[str, ...],
    spider: str | None,
    of_job: str | None,
    *,
    changed: bool,
    as_json: bool,
    read: tuple[str, str] | None,
    **given: Unpack[Given],
) -> None:
    """Show the settings (all, or those NAMES) as the project and the command line set them."""
    if of_job is not None and spider is not None:
        raise UsageError("--job and --spider: a job has a spider, leave --spider out")
    typed = command_line_settings(given)
    settings, live = _of_job(of_job, typed) if of_job is not None else (settings_here(typed, spider), {})
    rows = {row.name: _without_passwords(row) for row in setting_rows(settings)} | live
    wanted = list(names) + ([read[1]] if read else [])
    for name in wanted:
        if name not in rows:
            raise SettingError(f"there is no setting {name}{_alike(name, rows)}")
    if read:
        say(as_typed(without_passwords(read[1], _read(settings, *read))))
        return
    wanted_rows = [row for row in rows.values() if (not wanted or row.name in wanted)]
    wanted_rows = [row for row in wanted_rows if not changed or row.origin != "default"]
    if as_json:
        say_json(msgspec.json.format(b"[" + b",".join(map(_row_as_json, wanted_rows)) + b"]", indent=2))
    else:
        _print(wanted_rows)


def _alike(name: str, known: Iterable[str]) -> str:
    """Return the end of a message: the names that have ``name`` as a part, or the one that is nearest."""
    having = [each for each in known if name.casefold() in each.casefold()]
    if name and len(having) > 1:
        return f"; there are {', '.join(having)}"
    return f'; did you mean "{having[0]}"?' if len(having) == 1 else did_you_mean(name, known)


def _of_job(name: str, command_line: dict[str, Any]) -> tuple[Settings, dict[str, SettingRow]]:
    """Return the settings of a job, and the rows of those that were changed while it ran. Raises UsageError."""
    from crawler.commands.finding import find_again, find_any, is_file
    from crawler.engine.steering.live import PREFIX, Said, name_of, said_by

    job = find_any(settings_here(command_line).core, name)
    settings = find_again(job, command_line).settings
    if not is_file(job):
        return settings, {}
    facts = {name_of(fact): Said(*value) for fact, value in facts_below(job.path, PREFIX).items()}
    said = {key: each for key, each in facts.items() if key[0] in LIVE and each.value != DEFAULT}
    core = together(settings.core, {key: each.value for key, each in said.items()})
    rows = {row.name: row for row in setting_rows(settings)}
    live = {}
    for (setting, host), each in said.items():
        if setting not in command_line:
            own = setting if host is None else "DOWNLOAD_SLOTS"
            live[own] = msgspec.structs.replace(rows[own], value=getattr(core, own), origin=said_by(each))
    return settings, live


def _print(rows: list[SettingRow]) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    for row in rows:
        style = "" if row.origin == "default" else "bold"
        line = Text(shown(f"{row.name} = {as_typed(row.value)}"), style=style)
        console.print(line, Text(f"({row.type}; {row.origin})", style="dim"), soft_wrap=True)
        console.print(Text(f"    {row.description}"), soft_wrap=True)


def _without_passwords(row: SettingRow) -> SettingRow:
    return msgspec.structs.replace(row, value=without_passwords(row.name, row.value))


def _row_as_json(row: SettingRow) -> bytes:
    try:
        return msgspec.json.encode(row, enc_hook=repr)
    except (TypeError, ValueError):  # keys that JSON has not: a setting of the project's own may be anything
        return msgspec.json.encode(msgspec.structs.replace(row, value=repr(row.value)))
