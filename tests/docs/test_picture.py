"""Does the picture in the README show a crawl as it is?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.blocks import ROOT

PICTURE = ROOT / "docs" / "terminal.svg"


def shown(picture: Path) -> list[str]:
    """Return the lines of a picture, each row of figures as one ``0``."""
    texts = ElementTree.parse(picture).getroot().iter("{http://www.w3.org/2000/svg}text")
    lines: dict[str, str] = {}
    for text in texts:
        if text.get("y"):
            lines[text.get("y", "")] = lines.get(text.get("y", ""), "") + (text.text or "").replace("\xa0", " ")
    return [re.sub(r"\d[\d.]*", "0", line).strip() for line in lines.values()]


def test_the_readme_shows_it() -> None:
    assert "](docs/terminal.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    lines = shown(PICTURE)
    assert any(line.startswith("$ crawler resume") for line in lines)
    assert "Items  0" in lines  # as many as there are
    assert not re.search(r"(?:url\(|href=)[\"']?https?:", PICTURE.read_text(encoding="utf-8"))  # nothing from elsewhere


@pytest.mark.slow
def test_it_is_what_a_crawl_shows_today(tmp_path: Path) -> None:
    anew = tmp_path / "terminal.svg"
    subprocess.run([sys.executable, "docs/picture.py", str(anew), "0"], cwd=ROOT, check=True, timeout=60)
    assert shown(anew) == shown(PICTURE), "run: make picture"
