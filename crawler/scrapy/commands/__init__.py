"""What does a project's own command derive from? ``ScrapyCommand`` (Scrapy's docs, "Custom project commands")."""

from __future__ import annotations

import os
from argparse import ArgumentParser, HelpFormatter, Namespace
from pathlib import Path
from typing import Any, ClassVar

from crawler.scrapy.exceptions import UsageError
from crawler.scrapy.utils.conf import arglist_to_dict, feed_process_params_from_cli

ScrapyHelpFormatter = HelpFormatter


class ScrapyCommand:
    """A command; the name of its module is the command's name.

    ``settings`` and, if it ``requires_crawler_process``, ``crawler_process`` are there when ``run()`` is called.
    """

    requires_project: bool = False
    requires_crawler_process: bool = True
    crawler_process: Any = None
    default_settings: ClassVar[dict[str, Any]] = {}
    """Used in the place of the global defaults."""
    exitcode: int = 0

    def __init__(self) -> None:
        self.settings: Any = None

    def syntax(self) -> str:
        """Return what is written behind the command's name."""
        return ""

    def short_desc(self) -> str:
        """Return what it does, in a line."""
        return ""

    def long_desc(self) -> str:
        """Return what it does."""
        return self.short_desc()

    def help(self) -> str:
        """Return what it does."""
        return self.long_desc()

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the options of all commands; an override calls this and adds its own."""
        group = parser.add_argument_group(title="Global Options")
        group.add_argument("--logfile", metavar="FILE", help="write the log to a file")
        group.add_argument("-L", "--loglevel", metavar="LEVEL", help=f"default: {self.settings['LOG_LEVEL']}")
        group.add_argument("--nolog", action="store_true", help="write no log")
        group.add_argument("--profile", metavar="FILE", help="has no effect here")
        group.add_argument("--pidfile", metavar="FILE", help="write the process id to a file")
        group.add_argument("-s", "--set", action="append", default=[], metavar="NAME=VALUE", help="set a setting")
        group.add_argument("--pdb", action="store_true", help="has no effect here")

    def process_options(self, args: list[str], opts: Namespace) -> None:
        """Take the options of all commands into the settings. Raises UsageError."""
        self.settings.setdict(_pairs("-s", opts.set), priority="cmdline")
        if opts.logfile or opts.loglevel:
            self.settings.set("LOG_ENABLED", True, priority="cmdline")
        for name, value in {"LOG_FILE": opts.logfile, "LOG_LEVEL": opts.loglevel}.items():
            if value:
                self.settings.set(name, value, priority="cmdline")
        if opts.nolog:
            self.settings.set("LOG_ENABLED", False, priority="cmdline")
        if opts.pidfile:
            Path(opts.pidfile).write_text(f"{os.getpid()}{os.linesep}", encoding="utf-8")

    def run(self, args: list[str], opts: Namespace) -> None:
        """Do it."""
        raise NotImplementedError


class BaseRunSpiderCommand(ScrapyCommand):
    """A command that runs spiders: with -a, -o and -O; ``opts.spargs`` is a dict when ``run()`` is called."""

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the options."""
        super().add_options(parser)
        output = {"metavar": "FILE", "action": "append"}
        parser.add_argument(
            "-a", dest="spargs", action="append", default=[], metavar="NAME=VALUE", help="give the spider an argument"
        )
        parser.add_argument("-o", "--output", help="append items to a file; - is stdout", **output)  # type: ignore[arg-type]
        parser.add_argument("-O", "--overwrite-output", help="write items to a new file", **output)  # type: ignore[arg-type]

    def process_options(self, args: list[str], opts: Namespace) -> None:
        """Take the options into the settings. Raises UsageError."""
        super().process_options(args, opts)
        opts.spargs = _pairs("-a", opts.spargs)
        if opts.output or opts.overwrite_output:
            feeds = feed_process_params_from_cli(self.settings, opts.output, overwrite_output=opts.overwrite_output)
            self.settings.set("FEEDS", feeds, priority="cmdline")


def _pairs(option: str, given: list[str]) -> dict[str, str]:
    try:
        return arglist_to_dict(given)
    except ValueError:
        raise UsageError(f"Invalid {option} value, use {option} NAME=VALUE", print_help=False) from None
