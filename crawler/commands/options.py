"""Which options do the commands that run a spider share, which settings do they stand for, what does a job remember?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, TypeVar

import click
from msgspec import DecodeError, Struct, ValidationError, convert, json, to_builtins

from crawler.commands.seen import NOTHING_SEEN, OF_ONE_RUN, seen_options, seen_settings
from crawler.config.nearest import did_you_mean
from crawler.errors import OutputError, SettingError, UsageError
from crawler.model.masking import without_secrets

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Given(TypedDict, total=False):
    """What click has found of the options below; a command has those that it takes."""

    settings: tuple[str, ...]
    loglevel: str | None
    logfile: str | None
    nolog: bool
    log_format: str | None
    arguments: tuple[str, ...]
    append: tuple[str, ...]
    overwrite: tuple[str, ...]
    summary: str | None
    fail_on: str | None
    job: str | None
    warc: str | None
    since: str | None
    only_new: bool
    changes: str | None
    workers: int | None
    verbose: bool
    pidfile: str | None
    profile: str | None
    debug: bool
    status: bool
    status_port: int | None
    status_control: bool
    console: bool


class RunOptions(NamedTuple):
    """What the user typed beside the spider: settings of the command line, and the spider's arguments.

    ``workers`` is how many processes do the work, None if that was not said; ``verbose``: each is shown by itself.
    ``pidfile``, ``profile`` and ``debug`` (--pdb): what ``beside`` does. ``anew``: names of settings that were given to
    a resume; None: all were given now.
    """

    settings: dict[str, Any]
    arguments: dict[str, str]
    summary: str | None
    workers: int | None = None
    verbose: bool = False
    pidfile: str | None = None
    profile: str | None = None
    debug: bool = False
    anew: frozenset[str] | None = None


_SETTINGS = click.option("-s", "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a setting.")
_LOGGING = (
    click.option("-L", "--loglevel", metavar="LEVEL", help="DEBUG, INFO, WARNING, ERROR or CRITICAL."),
    click.option("--logfile", metavar="FILE", help="Write the log to a file."),
    click.option("--nolog", is_flag=True, help="Write no log."),
    click.option("--log-format", metavar="FORMAT", help="text, or json: one object a line."),
)
_WORKERS = (
    click.option("--workers", type=click.IntRange(min=1, max=1000), metavar="N", help="Crawl with N processes."),
    click.option("-v", "--verbose", is_flag=True, help="Show the pages/s of each worker, too."),
)
arguments_option = click.option(
    "-a", "arguments", metavar="NAME=VALUE", multiple=True, help="Give the spider an argument."
)
_FEEDS = (
    click.option(
        "-o", "--output", "append", metavar="FILE[:FORMAT]", multiple=True, help="Append items to a file; - is stdout."
    ),
    click.option(
        "-O",
        "--overwrite-output",
        "overwrite",
        metavar="FILE[:FORMAT]",
        multiple=True,
        help="Write items to a new file.",
    ),
)
_PROCESS = (
    click.option("--pidfile", metavar="FILE", help="Keep the process id in a file while the crawl runs."),
    click.option("--profile", metavar="FILE", help="Write a profile for pstats; - prints it to stderr."),
    click.option("--pdb", "debug", is_flag=True, help="Debug the first error of a callback or stage where it is."),
)
_RUNNING = (
    arguments_option,
    *_FEEDS,
    click.option("--summary", metavar="FILE", help="Write the summary as JSON."),
    click.option("--fail-on", metavar="RULE,…", help="What makes the exit status 1; see the setting FAIL_ON."),
    click.option("--job", metavar="NAME", help="Name the job."),
    click.option("--warc", metavar="FILE", help="Write every exchange to a WARC file."),
)


NO_SECOND_RUN: dict[str, Any] = {"SINCE": None, "ONLY_NEW": False, "CHANGES_FILE": None}
"""Settings of a crawl that looks back to no other."""

BY_ITSELF: dict[str, Any] = {**NO_SECOND_RUN, **NOTHING_SEEN}
"""Settings of a crawl that looks back to no other, and that nobody looks at."""

_SECOND_RUN = (
    click.option("--since", metavar="LAST|JOB", help="Ask only whether pages have changed since that run."),
    click.option("--only-new", is_flag=True, help="Leave out the pages that led nowhere in that run."),
    click.option("--changes", metavar="FILE", help="Write which items are new, changed or gone: JSON Lines."),
)


def settings_options(command: Decorated) -> Decorated:
    """Add -s and the options of the log."""
    return add_options(command, (_SETTINGS, *_LOGGING))


def feeds_options(command: Decorated) -> Decorated:
    """Add -o and -O."""
    return add_options(command, _FEEDS)


def running_options(command: Decorated) -> Decorated:
    """Add all options of a command that runs a spider."""
    return add_options(command, (*_RUNNING, _SETTINGS, *_LOGGING))


def second_run_options(command: Decorated) -> Decorated:
    """Add --since, --only-new and --changes, for a command that begins a crawl."""
    return add_options(command, _SECOND_RUN)


def workers_options(command: Decorated) -> Decorated:
    """Add --workers and -v, for a command whose crawl may be many processes."""
    return add_options(command, _WORKERS)


def process_options(command: Decorated) -> Decorated:
    """Add what is done beside a crawl: --status, --console, --pidfile, --profile and --pdb."""
    return seen_options(add_options(command, _PROCESS))


def command_line_settings(given: Given) -> dict[str, Any]:
    """Return the settings that the options stand for; -s comes first, the option made for it wins.

    Raises SettingError for a -s without "=".
    """
    settings = pairs("-s", given.get("settings", ()), SettingError)
    if "://" in settings.get("JOB_STORE", "") or "JOB_STORE_PASSWORD" in settings:
        from crawler.storage.cluster.address import refuse_passwords

        refuse_passwords(settings)
    named = {
        "LOG_LEVEL": given.get("loglevel"),
        "LOG_FILE": given.get("logfile"),
        "LOG_FORMAT": given.get("log_format"),
        "LOG_ENABLED": False if given.get("nolog") else None,
        "FAIL_ON": given.get("fail_on"),
        "JOB_NAME": given.get("job"),
        "WARC_FILE": given.get("warc"),
        "SINCE": given.get("since"),
        "ONLY_NEW": True if given.get("only_new") else None,
        "CHANGES_FILE": given.get("changes"),
        "FEEDS": feeds_of(given.get("append", ()), given.get("overwrite", ())) or None,
    }
    return settings | {name: value for name, value in named.items() if value is not None} | seen_settings(given)


def feeds_of(append: Iterable[str], overwrite: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the FEEDS setting for the files of ``-o`` (append) and ``-O`` (overwrite).

    Each is ``FILE``, ``FILE:FORMAT`` or ``-``, as the feeds read them. Raises OutputError for one given twice.
    """
    feeds: dict[str, dict[str, Any]] = {}
    for text, fresh in [*((text, False) for text in append), *((text, True) for text in overwrite)]:
        if text in feeds:
            raise OutputError(f"{text} is given twice as output")
        feeds[text] = {"overwrite": fresh}
    return feeds


def run_options(given: Given) -> RunOptions:
    """Return all that was typed. Raises UsageError."""
    arguments = pairs("-a", given.get("arguments", ()), UsageError)
    settings = command_line_settings(given)
    return RunOptions(
        settings,
        arguments,
        given.get("summary"),
        workers=given.get("workers"),
        verbose=given.get("verbose", False),
        **beside_of(given),
    )


def beside_of(given: Given) -> dict[str, Any]:
    """Return what the options of ``process_options`` say, as fields of RunOptions."""
    return {"pidfile": given.get("pidfile"), "profile": given.get("profile"), "debug": given.get("debug", False)}


def pairs(option: str, texts: Iterable[str], error: type[UsageError]) -> dict[str, str]:
    """Split each NAME=VALUE; the last of a name wins."""
    split: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise error(f'{option} "{text}": expected NAME=VALUE')
        split[name.strip()] = value
    return split


def add_options(command: Decorated, options: Iterable[Callable[[Any], Any]]) -> Decorated:
    """Add options to a command, in this order."""
    for option in reversed(tuple(options)):
        command = option(command)
    return command


COMMAND = "command"
"""What a job's description has of its command, by this name."""


class Remembered(Struct):
    """The command that began a job: spider (``file``: from which it was run), arguments, settings, folder, workers.

    ``append``: its feeds are there already, whatever the settings say: the job is of a crawl that had finished.
    """

    spider: str
    folder: str
    file: str | None = None
    arguments: dict[str, str] = {}
    settings: dict[str, Any] = {}
    workers: int | None = None
    append: bool = False


# URLs of stores lose their passwords, and what is nothing else than a secret is left out.
STORES = frozenset({"FEEDS", "FILES_STORE", "IMAGES_STORE"})
"""Settings of which a job keeps all but the passwords."""

_SECRETS = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "STORE_CREDENTIALS"})


def remember(spider: str, options: RunOptions, *, file: str | None) -> dict[str, Any]:
    """Return the description of a new job: plain values, and no password of a store or of who takes notices."""
    left_out = _SECRETS | OF_ONE_RUN | {"JOB_NAME"}
    settings = {
        name: without_secrets(_plain(value)) if name in STORES or name == "NOTICES" else value
        for name, value in options.settings.items()
        if name not in left_out
    }
    command = Remembered(spider, str(Path.cwd()), file, dict(options.arguments), settings, options.workers)
    return {"spider": spider, COMMAND: to_builtins(command)}


def _plain(value: Any) -> Any:
    """Return a setting that was typed as JSON as what it says: its secrets have names then."""
    try:
        return json.decode(value) if isinstance(value, str) and value.lstrip().startswith(("{", "[")) else value
    except DecodeError:
        return value


def recall(job: str, description: Mapping[str, Any]) -> Remembered:
    """Return what a job remembers. Raises UsageError for a job that no command began."""
    if COMMAND not in description:
        raise UsageError(f"job {job} was not begun by a command; continue it from the script that began it")
    try:
        return convert(description[COMMAND], Remembered)
    except ValidationError as error:
        raise UsageError(f"job {job} remembers no command this version understands: {error}") from error


class CommandGroup(click.Group):
    """A group whose unknown command is an error of one line that names the nearest."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name. Raises UsageError."""
        if cmd_name not in self.commands:
            hint = did_you_mean(cmd_name, self.commands) or f"; there are {', '.join(self.commands)}"
            raise UsageError(f'there is no command "{ctx.info_name} {cmd_name}"{hint}')
        return self.commands[cmd_name]
