"""Is what the README and docs/ say so: commands, links, settings, targets, code?"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import click
import msgspec
import pytest

import crawler
from crawler.commands import crawler as command_line
from crawler.config.schema import CoreSettings
from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks, load
from tests.docs.typed import is_typed

README = ROOT / "README.md"
SETTINGS = {field.encode_name: field for field in msgspec.structs.fields(CoreSettings)}
# UPPERCASE words in backquotes that are settings of components, or no settings at all.
OTHER_UPPERCASE = re.compile(r"(EXTENSIONS|NAME|JOB|FILE|URL|SPIDER|VALUE|RULE|FORMAT)(\.\w+)?$")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _group() -> click.Group:
    assert isinstance(command_line, click.Group)
    return command_line


@pytest.mark.parametrize("document", DOCUMENTS, ids=_shown)
def test_links_lead_to_files(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "#")):
            path = target.partition("#")[0]
            assert (document.parent / path).exists(), f"{_shown(document)} links to {target}"


def test_every_document_is_in_the_list() -> None:
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for document in ROOT.glob("docs/*.md"):
        assert document.name == "README.md" or f"]({document.name})" in listed, document.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=_shown)
def test_commands_exist_with_the_options_shown(document: Path) -> None:
    group = _group()
    context = click.Context(group)
    text = document.read_text(encoding="utf-8")
    for command, rest in re.findall(r"(?:^|^\$ |`|&& |\| )crawler ([a-z]+)((?: [^`\n#|]*)?)", text, re.MULTILINE):
        found = group.get_command(context, command)
        assert found is not None, f"{_shown(document)}: crawler {command}"
        known = {name for each in found.params for name in (*each.opts, *each.secondary_opts)}
        for option in re.findall(r"(?<!\S)(--?[A-Za-z][\w-]*)", rest):
            assert option in known, f"{_shown(document)}: crawler {command} {option}"


def test_every_command_has_one_row_in_the_readme() -> None:
    rows = re.findall(r"^\| `crawler ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(_group().list_commands(click.Context(_group())))


@pytest.mark.parametrize("document", ["README.md", "docs/jobs.md"])
def test_the_settings_table_has_the_defaults(document: str) -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 7
    for name, default in rows:
        assert name in SETTINGS, name
        value = SETTINGS[name].default
        if value is msgspec.NODEFAULT:
            value = SETTINGS[name].default_factory()
        assert value == ast.literal_eval(default), f"{name} is {value!r}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_shown)
def test_settings_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    own = set(re.findall(r"^\s+([A-Z][A-Z_]+): ", text, re.MULTILINE))  # declared by an example
    for path in (*ROOT.glob("pipelines/*.py"), *ROOT.glob("crawler/files/*.py")):
        own |= set(re.findall(r"^    ([A-Z][A-Z_]+): ", path.read_text(encoding="utf-8"), re.MULTILINE))
    given = {name for name in re.findall(r"-s ([A-Z_]+)=", text) if name != "NAME"}
    if document.name not in {"from_scrapy.md", "settings.md"}:  # which name Scrapy's, too
        given |= {name for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", text) if not OTHER_UPPERCASE.match(name)}
    assert not given - SETTINGS.keys() - own, _shown(document)


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / ".ci/run"], ids=_shown)
def test_make_targets_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_modules_that_are_run_exist() -> None:
    for document in DOCUMENTS:
        for module in re.findall(r"python -m (\S+?)[`\s]", document.read_text(encoding="utf-8")):
            if module.split(".")[0] in {"bench", "crawler"}:
                path = ROOT / module.replace(".", "/")
                assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_files_to_touch_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", text)
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists() and not (ROOT / "crawler" / path).exists()] == []


def test_the_distribution_and_its_extras_are_called_so() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    texts = {document: document.read_text(encoding="utf-8") for document in DOCUMENTS}
    assert f"called `{project['name']}`" in texts[README]
    named = {name for text in texts.values() for name in re.findall(rf"(?:{project['name']}|'\.)\[([\w,]+)\]", text)}
    assert {extra for names in named for extra in names.split(",")} <= extras.keys()
    public = extras.keys() - {"dev", "docs", "bench"}
    assert [extra for extra in public if f"`{extra}`" not in texts[README]] == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 250


def test_the_spider_of_the_readme_is_short() -> None:
    spider = next(block for block in blocks(README) if block.file == "spiders/books.py")
    assert len([line for line in spider.text.splitlines()[1:] if line.strip()]) <= 15


PYTHON = [block for document in DOCUMENTS for block in blocks(document) if block.language == "python"]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: f"{_shown(block.document)}:{block.line}")
def test_python_compiles_and_imports_what_is_there(block: Block) -> None:
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "crawler":
            for alias in node.names:
                assert alias.name in crawler.__all__, alias.name
    compile(block.text, f"{_shown(block.document)}:{block.line}", "exec")


# Pages that are typed whole run their modules themselves, in their place.
MODULES = [block for block in PYTHON if block.file and not is_typed(block.document)]


@pytest.mark.parametrize("block", MODULES, ids=lambda block: block.file)
def test_whole_modules_run(block: Block) -> None:
    exec(compile(block.text, f"{_shown(block.document)}:{block.line}", "exec"), {"__name__": "shown"})


def test_every_test_that_the_security_table_names_exists() -> None:
    rows = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    table = [row for row in rows if row.startswith("| ") and "`" in row]
    assert len(table) >= 20
    for row in table:
        for path, name in re.findall(r"`(\S+?\.py)(?:::(\w+))?`", row):
            file = ROOT / "tests" / path
            assert file.exists(), path
            assert f"def {name}" in file.read_text(encoding="utf-8"), f"{path}::{name}"


def test_the_testing_example_passes() -> None:
    names = load("docs/testing.md", "tests/test_prices.py")
    names["test_prices"]()
