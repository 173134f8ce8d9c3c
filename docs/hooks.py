"""What has the site of the documents beside the pages that lie in docs/?

The README and its like, the files of code that pages link to, and a reference of the public names from their
docstrings; and a table of contents in the order of docs/README.md and of the index of the cookbook. MkDocs calls
these functions by their names (mkdocs.yml).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import crawler

ROOT = Path(__file__).parents[1]
PROJECT = {
    "README.md": "project/overview.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
}
"""Documents beside docs/, and which pages they become."""

REFERENCE = {
    "Spiders": ("crawler.spider", "crawler.generic"),
    "Requests and responses": ("crawler.model", "crawler.scrapy"),
    "Stages and filters": ("crawler.pipeline", "crawler.policy"),
    "Running crawls": ("crawler.assembly", "crawler.commands", "crawler.config", "crawler.summary"),
    "Events": ("crawler.events",),
    "Errors": ("crawler.errors",),
    "Working on spiders": ("crawler.shell", "crawler.contracts"),
    "Network and feeds": ("crawler.download", "crawler.feeds"),
}
"""The pages of the reference, and the rooms whose public names each has; what is in none is on a page of its own."""

MODULES = {
    "Tests": ["crawler.testing"],
    "Contracts of callbacks": ["crawler.contracts"],
    "Contracts of swapped parts": [
        "crawler.feeds.formats.base",
        "crawler.download.seam",
        "crawler.frontier.store",
        "crawler.policy.scope",
    ],
}
"""Public modules, as docs/extending.md names them."""

_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def reference() -> dict[str, list[str]]:
    """Return the pages of the reference with the full names that each describes."""
    pages: dict[str, list[str]] = {title: [] for title in REFERENCE}
    for name in crawler.__all__:
        home = getattr(getattr(crawler, name), "__module__", None)
        if home is not None:  # neither the version nor a module
            title = next((title for title, rooms in REFERENCE.items() if home.startswith(rooms)), "Further names")
            pages.setdefault(title, []).append(f"crawler.{name}")
    return pages | MODULES


def directive(name: str) -> str:
    """Return what has a name described; with what it inherits, if that is from a class that is not public."""
    found = getattr(crawler, name.removeprefix("crawler."), None)
    hidden = [base for base in getattr(found, "__bases__", ()) if base.__module__.startswith("crawler.")]
    inherits = any(base.__name__ not in crawler.__all__ for base in hidden)
    return f"::: {name}" + "\n    options:\n      inherited_members: true" * inherits


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    linked: set[Path] = set()
    for name, page in PROJECT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        linked |= _code_in(text, ROOT)
        files.append(File.generated(config, page, content=text))
    for file in files.documentation_pages():
        if file.abs_src_path:
            linked |= _code_in(Path(file.abs_src_path).read_text(encoding="utf-8"), Path(file.abs_src_path).parent)
    for path in sorted(linked):
        code = f"# {path.name}\n\n```{path.suffix[1:]}\n{(ROOT / path).read_text(encoding='utf-8')}```\n"
        files.append(File.generated(config, f"code/{path}.md", content=code))
    for title, names in reference().items():
        parts = [f"# {title}", *map(directive, names)]
        files.append(File.generated(config, f"api/{_slug(title)}.md", content="\n\n".join(parts)))
    config.nav = list(_contents(sorted(linked)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links that lead out of docs/ lead to the pages made of what is there."""
    at = Path(page.file.src_uri)
    original = next((name for name, made in PROJECT.items() if made == page.file.src_uri), f"docs/{at}")

    def led(found: re.Match[str]) -> str:
        target = os.path.normpath(ROOT / Path(original).parent / found[1])
        made = _made_of(Path(target).relative_to(ROOT))
        return f"]({os.path.relpath(made, at.parent)}{found[2] or ''})"

    return _LINK.sub(led, markdown)


def _made_of(path: Path) -> str:
    """Return which page or file of the site a file of the project is."""
    if str(path) in PROJECT:
        return PROJECT[str(path)]
    if path.parts[0] == "docs":
        return str(path.relative_to("docs"))
    return f"code/{path}.md"


def _code_in(text: str, folder: Path) -> set[Path]:
    """Return the files of code that a document links to, by their paths in the project."""
    targets = (Path(os.path.normpath(folder / found[1])) for found in _LINK.finditer(text))
    paths = (target.relative_to(ROOT) for target in targets if target.is_file())
    return {path for path in paths if path.parts[0] != "docs" and str(path) not in PROJECT}


def _contents(code: list[Path]) -> Iterator[Any]:
    guide = _listed(ROOT / "docs" / "README.md")
    folders = [page for page in guide if "/" in page]
    yield {"Home": "README.md"}
    for title, pages in _groups(ROOT / "docs" / "README.md"):
        yield {title: [page for page in pages if page not in folders]}
    for folder in folders:
        pages = [page for page in _listed(ROOT / "docs" / folder) if not page.startswith("..")]
        inside = [f"{Path(folder).parent}/{page}" for page in pages]
        yield {Path(folder).parent.name.capitalize(): [folder, *inside]}
    yield {"From the docstrings": [f"api/{_slug(title)}.md" for title in reference()]}
    yield {"Project": [*PROJECT.values(), {"Code": [{str(path): f"code/{path}.md"} for path in code]}]}


def _groups(index: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the groups of an index: their titles, which stand bold, and their pages."""
    parts = re.split(r"^\*\*(.+)\*\*$", index.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        yield title, _links(text)


def _listed(index: Path) -> list[str]:
    """Return the pages that an index lists, in its order."""
    return _links(index.read_text(encoding="utf-8"))


def _links(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"^- \[[^\]]*\]\(([^)#]+\.md)\)", text, re.MULTILINE)))


def _slug(title: str) -> str:
    return title.lower().replace(" ", "_")
