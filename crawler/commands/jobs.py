"""``crawler jobs``: which jobs are there, and what is to become of them?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.commands.finding import all_jobs, find_again, find_any, remove_any
from crawler.commands.loading import settings_here
from crawler.commands.options import CommandGroup, Given, command_line_settings, settings_options
from crawler.commands.showing import say, say_json, shown, without_passwords
from crawler.config.kinds import Value
from crawler.errors import UsageError
from crawler.observe.progress import counted, duration
from crawler.storage.jobs import Job


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON, a list of objects.")
@click.option("--serve", is_flag=True, help="Show them in a page, at a URL that is printed, until Ctrl-C.")
@click.option(
    "--status-port", type=click.IntRange(0, 65535), metavar="N", help="The port of that page; 0: any free one."
)
@settings_options
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool, serve: bool, **given: Unpack[Given]) -> None:
    """List the jobs of JOB_DIR, show them in a page, close or remove one."""
    ctx.obj = command_line_settings(given)
    if ctx.invoked_subcommand is not None:
        return
    if serve or given.get("status_port") is not None:
        from crawler.commands.serving import serve_jobs

        serve_jobs(settings_here(ctx.obj).core)
    else:
        _list(ctx.obj, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, a list of objects.")
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List the jobs: name, state, pages done, queued, items, age."""
    _list(ctx.obj, as_json=as_json)


@command.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_context
def rm(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Remove jobs; what they wrote to feeds stays. A running one is refused."""
    core = settings_here(ctx.obj).core
    for job in [find_any(core, name) for name in names]:
        remove_any(core, job)


@command.command()
@click.argument("name", metavar="JOB")
@click.option("--json", "as_json", is_flag=True, help="As JSON, a list of objects.")
@click.pass_context
def failed(ctx: click.Context, name: str, *, as_json: bool) -> None:
    """List what failed in JOB, also when it has finished: URL, reason, attempts, the page it was found on."""
    from crawler.commands.failed import tell_failures

    core = settings_here(ctx.obj).core
    tell_failures(core, find_any(core, name), as_json=as_json)


@command.command()
@click.argument("name")
@click.pass_context
def close(ctx: click.Context, name: str) -> None:
    """Make the feeds of a killed job valid files. The job can still be resumed."""
    job = find_any(settings_here(ctx.obj).core, name)
    if job.state == "finished":
        raise UsageError(f"job {name} is finished, and its feeds are closed")
    found = find_again(job, ctx.obj)
    from crawler.commands.closing import close_job

    for path, items in close_job(job, found.spider, found.settings, found.options.arguments):
        say(f"{path} is closed, with {counted(items, 'item')}")


def _list(command_line: dict[str, Any], *, as_json: bool) -> None:
    core = settings_here(command_line).core
    jobs = all_jobs(core)
    if as_json:
        fields = [{**job._asdict(), "path": str(job.path), "description": _described(job.description)} for job in jobs]
        say_json(msgspec.json.format(msgspec.json.encode(fields, enc_hook=str), indent=2))
        return
    if not jobs:
        click.echo(f"No jobs in {Path(core.JOB_DIR).absolute()}.", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for title in ("Job", "Spider", "State"):
        table.add_column(title, no_wrap=True)
    for title in ("Done", "Queued", "Items", "Age"):
        table.add_column(title, justify="right", no_wrap=True)
    now = time.time()
    for job in jobs:
        table.add_row(*(Text(shown(cell)) for cell in _cells(job, now)))
    console = Console(highlight=False)
    # A terminal that is too narrow breaks the lines, which can be read; cells cut to "…" cannot.
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, whole)
    console.print(table)
    for job in jobs:
        if job.problem:
            say(f"crawler: job {job.name} is damaged: {job.problem}", err=True)


def _described(description: Mapping[str, Any]) -> Value:
    """Return what a job remembers of its command, without the passwords in its settings and arguments."""
    plain = {name: without_passwords("", each) for name, each in description.items()}
    command = description.get("command")
    if isinstance(command, dict) and isinstance(command.get("settings"), dict):
        shown_command = {name: without_passwords("", each) for name, each in command.items()}
        shown_command["settings"] = {name: without_passwords(name, each) for name, each in command["settings"].items()}
        plain["command"] = shown_command
    return plain


def _cells(job: Job, now: float) -> tuple[str, ...]:
    why = job.reason if job.reason != job.state else ""
    state = f"{job.state} ({why})" if why else job.state
    age = duration(max(now - job.created, 0.0)) if job.created else ""
    return (
        job.name,
        str(job.description.get("spider", "")),
        state,
        f"{job.done:,}",
        f"{job.queued:,}",
        f"{job.items:,}",
        age,
    )
