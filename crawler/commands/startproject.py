"""How does a new project begin, one that runs at once? ``crawler startproject NAME``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Unpack

import click

from crawler.commands import templates
from crawler.commands.loading import settings_here
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@click.command()
@click.argument("name")
@click.argument("folder", required=False)
@settings_options
def command(name: str, folder: str | None, **given: Unpack[Given]) -> None:
    """Make a project in a folder NAME (or FOLDER), with a spider that runs without the internet.

    With -s TEMPLATES_DIR=DIR it is made from what lies in DIR/project.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(f'"{name}" is no name for a project: letters, digits, _ and -, a letter first')
    own = settings_here(command_line_settings(given)).core.TEMPLATES_DIR
    files = templates.project_files(own, {"project_name": name, "ProjectName": _class_name(name)})
    root = Path(folder or name)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{root} is there already, and not an empty folder")
    try:
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    run = "crawler crawl example -O sayings.jsonl" if "spiders/example.py" in files else "crawler list"
    click.echo(f"Made {root}. Try it:\n\n    cd {root}\n    {run}\n")


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in re.split("[_-]", name))
