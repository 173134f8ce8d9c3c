"""Which commands does a project of Scrapy's have of its own, and how does one run?

Those in COMMANDS_MODULE, and those that packages bring by the entry point ``scrapy.commands`` (Scrapy's docs, "Custom
project commands").
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.metadata import entry_points
from inspect import isclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import click

from crawler.config.importing import classes_in
from crawler.config.project import find_project, modules_in
from crawler.errors import UsageError
from crawler.scrapy.commands import ScrapyCommand, ScrapyHelpFormatter
from crawler.scrapy.exceptions import UsageError as WrongCommandLine
from crawler.scrapy.project import scrapy_project


class ScrapyArgumentParser(ArgumentParser):
    """Takes ``-:json`` for a value of -o, and not for an option; ``add_option`` is the name that optparse had."""

    add_option = ArgumentParser.add_argument

    def _parse_optional(self, arg_string: str) -> Any:
        return None if arg_string.startswith("-:") else super()._parse_optional(arg_string)


def own_command(name: str) -> click.Command | None:
    """Return a command of the project that the current folder is in, or of a package; None if there is none."""
    project = scrapy_project(Path.cwd(), find_project(Path.cwd()))
    if project is None:
        return None
    settings = project.read()
    commands = _commands(settings)
    if name not in commands:
        return None

    @click.command(
        name,
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        help=commands[name].short_desc(),
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> int:
        return _run(name, commands[name], settings, list(words))

    return command


def _commands(settings: Any) -> dict[str, ScrapyCommand]:
    """Return all of them. Raises ValueError for an entry point that is no class, and SpiderImportError."""
    found: dict[str, ScrapyCommand] = {}
    for point in entry_points(group="scrapy.commands"):
        made: Any = point.load()
        if not isclass(made):
            raise ValueError(f"Invalid entry point {point.name}")
        found[point.name] = cast(ScrapyCommand, made())
    if name := settings["COMMANDS_MODULE"]:
        broken: dict[str, UsageError] = {}
        modules = list(modules_in(name, broken))
        found |= {each.__module__.rpartition(".")[2]: each() for module in modules for each in _classes(module)}
        for error in broken.values():
            raise error
    return found


def _classes(module: ModuleType) -> Iterator[type[ScrapyCommand]]:
    return (made for made in classes_in(module) if issubclass(made, ScrapyCommand))


def _run(name: str, command: ScrapyCommand, settings: Any, words: list[str]) -> int:
    """Run a command as Scrapy does; return its exit status."""
    parser = ScrapyArgumentParser(
        formatter_class=ScrapyHelpFormatter,
        usage=f"crawler {name} {command.syntax()}",
        conflict_handler="resolve",
        description=command.long_desc(),
    )
    settings.setdict(command.default_settings, priority="command")
    command.settings = settings
    command.add_options(parser)
    options, arguments = parser.parse_known_args(args=words)
    try:
        command.process_options(arguments, options)
        if command.requires_crawler_process:
            from crawler.scrapy.adapters.runners import AsyncCrawlerProcess, CrawlerProcess

            kind = CrawlerProcess if settings.getbool("FORCE_CRAWLER_PROCESS") else AsyncCrawlerProcess
            command.crawler_process = kind(settings)
        command.run(arguments, options)
    except WrongCommandLine as error:
        if str(error):
            parser.error(str(error))
        if error.print_help:
            parser.print_help()
        return 2
    return command.exitcode
