"""Which code do the documents show?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/**/*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?:#|;|//|--|<!--) ((?:[\w.-]+/)*(?:[\w.@-]+\.\w+|Dockerfile|crontab))(?: -->)?\n")


class Block(NamedTuple):
    """A fenced block: its document, the line it starts on, its language and its text."""

    document: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file its first line names: such a block is a whole file."""
        named = _FILE.match(self.text)
        return named[1] if named else None


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(document, text.count("\n", 0, found.start()) + 1, found[1], found[2]) for found in _FENCE.finditer(text)
    ]


def load(document: str, file: str) -> dict[str, Any]:
    """Run the block that a document shows as ``file``; return its names."""
    for block in blocks(ROOT / document):
        if block.file == file:
            names: dict[str, Any] = {"__name__": Path(file).stem}
            exec(compile(block.text, f"{document}:{file}", "exec"), names)
            return names
    raise LookupError(f"{document} shows no {file}")
