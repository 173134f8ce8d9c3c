"""Are the files of docs/cookbook/schedule.md what a shell, cron, systemd and Docker take?"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks
from tests.docs.served import sample, served
from tests.docs.test_scale import verified
from tests.docs.typed import type_page

PAGE = "docs/cookbook/schedule.md"
FILES = {block.file: block.text for block in blocks(ROOT / PAGE) if block.file}


@pytest.mark.process
def test_the_script_runs_the_crawl(tmp_path: Path) -> None:
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "__init__.py").touch()  # as startproject does
    program = tmp_path / ".venv" / "bin" / "crawler"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m crawler "$@"\n')
    program.chmod(0o755)
    with served(sample) as url:
        type_page(PAGE, tmp_path, replaced={"/srv/shop": str(tmp_path), "http://127.0.0.1:8000": url})


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize(
    ("unit", "right", "wrong"),
    [("shop.service", "Type=exec", "Type=exek"), ("shop.timer", "*-*-* 03:17", "*-*-* 25:17")],
)
def test_systemd_takes_the_units(unit: str, right: str, wrong: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("/srv/shop/nightly.sh", "/bin/true"), encoding="utf-8")
    text = (tmp_path / unit).read_text(encoding="utf-8")
    assert "shop." not in verified(text, unit, tmp_path)
    assert "shop." in verified(text.replace(right, wrong), unit, tmp_path)


def test_cron_takes_its_lines() -> None:
    lines = [line for line in FILES["crontab"].splitlines()[1:] if not re.match(r"[A-Z]+=", line)]
    assert len(lines) == 2
    for line in lines:
        assert re.fullmatch(r"(@reboot|(\S+ +){4}\S+) +.*", line)
        assert "%" not in line  # which cron takes for the end of the command
        assert "/srv/shop" in line


@pytest.mark.process
def test_the_dockerfile_copies_what_the_page_shows_and_runs_the_script() -> None:
    text = FILES["Dockerfile"].partition("\n")[2]
    instructions = re.findall(r"^([A-Z]+) (.*)$", text, re.MULTILINE)
    assert len(instructions) == len(text.splitlines())
    assert {word for word, _ in instructions} <= {"FROM", "COPY", "RUN", "WORKDIR", "USER", "VOLUME", "CMD"}
    assert instructions[0][0] == "FROM"
    copied = [source for word, rest in instructions if word == "COPY" for source in rest.split()[:-1]]
    there = {*FILES, "spiders/", "wheels/"}
    assert copied
    assert set(copied) <= there
    for word, rest in instructions:
        if word == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)
    assert instructions[-1] == ("CMD", '["/srv/shop/nightly.sh"]')
