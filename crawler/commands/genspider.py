"""How does a new spider begin? ``crawler genspider NAME URL``."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Unpack

import click

from crawler.commands import templates
from crawler.commands.editing import edit
from crawler.commands.loading import project_here, project_if_any, settings_here
from crawler.commands.one_page import with_scheme
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.config.nearest import did_you_mean
from crawler.config.project import FoundSpiders, Project
from crawler.errors import InvalidRequest, UsageError
from crawler.model.url import host_of, is_http, normalise
from crawler.spider import Spider

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@click.command()
@click.argument("name", required=False)
@click.argument("url", required=False)
@click.option("-t", "--template", metavar="TEMPLATE", default="basic", help="Begin with this template: see -l.")
@click.option("-l", "--list", "list_them", is_flag=True, help="List the templates.")
@click.option("-d", "--dump", metavar="TEMPLATE", help="Print a template.")
@click.option("-e", "--edit", "edit_it", is_flag=True, help="Open the new file in the editor.")
@click.option("--force", is_flag=True, help="Write over a file of that name.")
@settings_options
def command(
    name: str | None,
    url: str | None,
    *,
    template: str,
    list_them: bool,
    dump: str | None,
    edit_it: bool,
    force: bool,
    **given: Unpack[Given],
) -> int:
    """Write spiders/NAME.py, a spider for URL (without a scheme https://, for localhost and IP addresses http://).

    Templates of your own, spiders/TEMPLATE.tmpl, are looked for in the folder TEMPLATES_DIR.
    """
    settings = settings_here(command_line_settings(given))
    there = templates.spider_templates(settings.core.TEMPLATES_DIR)
    if list_them:
        click.echo("\n".join(there))
        return 0
    chosen = dump or template
    if chosen not in there:
        hint = did_you_mean(chosen, there) or f"; there are {', '.join(there)}"
        raise UsageError(f'there is no template "{chosen}"{hint}')
    if dump is not None:
        project_there = project_if_any()
        click.echo(there[dump] if project_there is None else project_there.in_its_words(there[dump]), nl=False)
        return 0
    if name is None or url is None:
        raise UsageError("a spider needs a name and a URL: crawler genspider NAME URL")
    project = project_here()
    path = _write(project, name, url, project.in_its_words(there[template]), f"{template}.tmpl", force=force)
    return edit(path, settings) if edit_it else 0


def _write(project: Project, name: str, url: str, template: str, where: str, *, force: bool) -> Path:
    """Write the spider; return its file. Raises UsageError."""
    module = name.replace("-", "_").lower()
    if _NAME.fullmatch(name) is None:
        raise UsageError(f'"{name}" is no name for a spider: letters, digits, _ and -, a letter first')
    if keyword.iskeyword(module):
        raise UsageError(f'"{name}" is a word of Python, which no module can be named; choose another')
    if module in sys.stdlib_module_names:
        raise UsageError(f'"{name}" is the name of a module of Python; choose another')
    package, folder = project.place_of_spiders()
    path = folder / f"{module}.py"
    found: FoundSpiders = project.spiders(Spider)
    taken = found.spiders.get(name)
    if name in found.broken and not path.exists():
        raise found.broken[name]
    if taken is not None and not (force and taken.__module__ == f"{package}.{module}"):
        raise UsageError(f'there is a spider "{name}" already, in {taken.__module__}')
    if path.exists() and not force:
        raise UsageError(f"{path.relative_to(project.root)} is there already; --force writes over it")
    address = _address(url)
    class_name = "".join(part.capitalize() for part in module.split("_") if part)
    values = {"name": name, "module": module, "classname": class_name, "url": address, "domain": host_of(address)}
    text = templates.filled(template, where, values)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"Wrote {path.relative_to(project.root)}. Try it:\n\n    crawler crawl {name} -o -\n")
    return path


def _address(url: str) -> str:
    """Return the URL as it is sent."""
    try:
        address = normalise(url if "://" in url else with_scheme(url))
    except InvalidRequest as error:
        raise UsageError(f'"{url}" is no URL: {error}') from error
    if not is_http(address):
        raise UsageError(f'"{url}": expected an http or https URL')
    return address
