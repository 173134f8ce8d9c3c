"""Do commands that a project has of its own run as Scrapy runs them?"""

from __future__ import annotations

from tests.commands.conftest import Crawler
from tests.scrapy.conftest import FILES, Write

COMMANDS = {
    "shop/settings.py": FILES["shop/settings.py"] + 'COMMANDS_MODULE = "shop.commands"\n',
    "shop/commands/__init__.py": "",
    "shop/commands/count.py": """\
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings = {"LOG_ENABLED": False}

    def syntax(self):
        return "[options] <word>"

    def short_desc(self):
        return "Count the letters of a word"

    def add_options(self, parser):
        super().add_options(parser)
        parser.add_option("--twice", dest="twice", action="store_true", help="count them twice")

    def run(self, args, opts):
        if not args:
            raise UsageError("a word is wanted", print_help=False)
        print(self.settings["BOT_NAME"], self.settings["LOG_ENABLED"], len(args[0]) * (1 + opts.twice))
        self.exitcode = 3
""",
}


def test_a_command_of_the_project_has_its_options_settings_and_exit_status(project: Write, in_project: Crawler) -> None:
    project(COMMANDS)

    ran = in_project("count", "--twice", "-s", "BOT_NAME=mine", "four")

    assert (ran.status, ran.out) == (3, "mine False 8\n"), ran.err


def test_a_command_that_does_not_import_is_told_and_others_still_run(project: Write, in_project: Crawler) -> None:
    project({**COMMANDS, "shop/commands/broken.py": "import nothing_like_it\n"})

    assert "No module named 'nothing_like_it'" in in_project("broken").err
    assert in_project("list").out == "words\n"
