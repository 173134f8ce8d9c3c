"""Where is a spider's file? ``crawler edit SPIDER`` opens it in the editor."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Unpack

import click

from crawler.commands.editing import edit
from crawler.commands.loading import load_settings, named_spider, project_here, spiders_of
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.config.project import FoundSpiders


@click.command()
@click.argument("spider")
@settings_options
def command(spider: str, **given: Unpack[Given]) -> int:
    """Open the file of SPIDER in the editor: the setting EDITOR, or $VISUAL or $EDITOR, or vi.

    The exit status is the editor's. A file that does not import is opened by its own name.
    """
    command_line = command_line_settings(given)
    project = project_here()
    found: FoundSpiders = spiders_of(project, command_line)
    path = project.place_of_spiders()[1] / f"{spider}.py"
    if spider in found.spiders or not path.is_file():
        path = Path(inspect.getfile(named_spider(project, spider, command_line)))
    return edit(path, load_settings(project, None, command_line))
