"""How does a new project begin, one that runs at once? ``crawler startproject NAME``."""

from __future__ import annotations

import re
from pathlib import Path

import click

from crawler.commands import templates
from crawler.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@click.command()
@click.argument("name")
def command(name: str) -> None:
    """Make a folder NAME with settings.py, spiders/, pipelines/ and a spider that runs without the internet."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(f'"{name}" is no name for a project: letters, digits, _ and -, a letter first')
    root = Path(name)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{name} is there already, and not an empty folder")
    try:
        for path, text in files_of(name).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    click.echo(f"Made {name}. Try it:\n\n    cd {name}\n    crawler crawl example -O sayings.jsonl\n")


def files_of(name: str) -> dict[str, str]:
    """Return the files of a new project by path."""
    return {
        "settings.py": templates.SETTINGS.format(name=name),
        "spiders/__init__.py": "",
        "spiders/example.py": templates.EXAMPLE_SPIDER,
        "spiders/example.html": templates.EXAMPLE_PAGE,
        "pipelines/__init__.py": "",
        "pipelines/require_fields.py": templates.PIPELINE,
        ".gitignore": templates.GITIGNORE,
    }
