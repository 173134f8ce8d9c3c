"""Are the files of docs/scale/ what systemd, Kubernetes and the command line take?"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from crawler.commands import crawler as command_line
from tests.docs.blocks import ROOT

FOLDER = ROOT / "docs" / "scale"
UNITS = sorted(FOLDER.glob("*.service"))
MANIFEST = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8")))
PROGRAM = "/srv/crawler/.venv/bin/crawler"


def verified(unit: str, name: str, folder: Path) -> str:
    """Return what systemd says of a unit, whose program is one that is there."""
    file = folder / name
    file.write_text(unit.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    # An instance: of a template alone its instance's name is not known.
    instance = name.replace("@.", "@shop.")
    return subprocess.run(
        ["systemd-analyze", "verify", instance], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    ).stderr


def quiet(said: str) -> bool:
    """Tell whether nothing is said of a unit of ours (it is, of others that this machine has)."""
    return "crawler-" not in said


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert quiet(verified(text, unit.name, tmp_path))
    assert not quiet(verified(text.replace("KillMode=mixed", "KillMode=some"), unit.name, tmp_path))


def test_there_is_a_unit_for_each_part() -> None:
    assert [unit.name for unit in UNITS] == ["crawler-start@.service", "crawler-work@.service"]


@pytest.mark.parametrize("part", MANIFEST, ids=lambda part: f"{part['kind']}-{part['metadata']['name']}")
def test_kubernetes_takes_the_manifest(part: dict[str, Any]) -> None:
    kubernetes_validate.validate(part, "1.35", strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**part, "spek": {}}, "1.35", strict=True)


def test_what_the_manifest_names_is_in_it() -> None:
    parts = {(part["kind"], part["metadata"]["name"]): part for part in MANIFEST}
    kinds = {"secretName": "Secret", "claimName": "PersistentVolumeClaim", "serviceName": "Service"}
    named = {(kinds[key], value) for key, value in walk(MANIFEST) if key in kinds}
    named |= {("Secret", value["name"]) for key, value in walk(MANIFEST) if key == "secretKeyRef"}
    assert len(named) == 3
    assert named <= parts.keys()
    secret = parts["Secret", "crawl-server"]["stringData"]
    assert f"requirepass {secret['password']}" in secret["valkey.conf"]
    assert "maxmemory-policy noeviction" in secret["valkey.conf"]


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


def commands() -> Iterator[list[str]]:
    """Yield the commands of the crawler in the units and in the manifest."""
    for unit in UNITS:
        (line,) = [line for line in unit.read_text(encoding="utf-8").splitlines() if line.startswith("ExecStart=")]
        yield shlex.split(line.removeprefix("ExecStart="))
    yield from (words for key, words in walk(MANIFEST) if key == "command" and words[0] == "crawler")


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_the_command_line_takes_the_commands(words: list[str]) -> None:
    assert isinstance(command_line, click.Group)
    assert os.path.basename(words[0]) == "crawler"  # noqa: PTH119 – the last part of a path that is not here
    context = click.Context(command_line)
    command = command_line.get_command(context, words[1])
    assert command is not None
    command.make_context(words[1], words[2:], parent=context)
