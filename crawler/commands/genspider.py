"""How does a new spider begin? ``crawler genspider NAME URL``."""

from __future__ import annotations

import keyword
import re
import sys

import click

from crawler.commands import templates
from crawler.commands.loading import project_here
from crawler.config.nearest import did_you_mean
from crawler.config.project import FoundSpiders
from crawler.errors import InvalidRequest, UsageError
from crawler.model.url import host_of, is_http, normalise
from crawler.spider import Spider

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@click.command()
@click.argument("name")
@click.argument("url")
@click.option("-t", "--template", metavar="KIND", default="basic", help="basic, crawl, csvfeed or xmlfeed.")
@click.option("--force", is_flag=True, help="Write over a file of that name.")
def command(name: str, url: str, *, template: str, force: bool) -> None:
    """Write spiders/NAME.py, a spider for URL (https:// if it says nothing else)."""
    project = project_here()
    if template not in templates.SPIDERS:
        hint = did_you_mean(template, templates.SPIDERS) or f"; there are {', '.join(templates.SPIDERS)}"
        raise UsageError(f'there is no template "{template}"{hint}')
    module = name.replace("-", "_").lower()
    if _NAME.fullmatch(name) is None:
        raise UsageError(f'"{name}" is no name for a spider: letters, digits, _ and -, a letter first')
    if keyword.iskeyword(module):
        raise UsageError(f'"{name}" is a word of Python, which no module can be named; choose another')
    if module in sys.stdlib_module_names:
        raise UsageError(f'"{name}" is the name of a module of Python; choose another')
    path = project.root / "spiders" / f"{module}.py"
    found: FoundSpiders = project.spiders(Spider)
    taken = found.spiders.get(name)
    if name in found.broken and not path.exists():
        raise found.broken[name]
    if taken is not None and not (force and taken.__module__ == f"spiders.{module}"):
        raise UsageError(f'there is a spider "{name}" already, in {taken.__module__}')
    if path.exists() and not force:
        raise UsageError(f"{path.relative_to(project.root)} is there already; --force writes over it")
    address = _address(url)
    class_name = "".join(part.capitalize() for part in module.split("_") if part)
    text = templates.SPIDERS[template].format(name=name, class_name=class_name, url=address, host=host_of(address))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"Wrote {path.relative_to(project.root)}. Try it:\n\n    crawler crawl {name} -o -\n")


def _address(url: str) -> str:
    """Return the URL as it is sent; without a scheme it is https."""
    try:
        address = normalise(url if "://" in url else f"https://{url}")
    except InvalidRequest as error:
        raise UsageError(f'"{url}" is no URL: {error}') from error
    if not is_http(address):
        raise UsageError(f'"{url}": expected an http or https URL')
    return address
