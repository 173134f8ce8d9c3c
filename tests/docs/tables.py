"""Which rows do the tables of docs/architecture.md have?

``python -m tests.docs.tables`` writes them into the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.engine.life import KINDS, PHASES, Phase
from tests.docs.blocks import ROOT
from tests.layers import INNER_ROOMS, ROOMS

PAGE = ROOT / "docs" / "architecture.md"


def phases() -> Iterator[str]:
    """Yield a row for each phase of a crawl."""
    yield "| phase | requests are queued and sent | waits for | then |"
    yield "|---|---|---|---|"
    for phase, rule in PHASES.items():
        waits = [KINDS[kind] for kind in rule.waits or ()] + ["queued requests"] * rule.takes_all
        then = [each.value for each in Phase if each in rule.then]
        yield f"| {phase.value} | {'yes' if rule.begins else 'no'} | {_listed(waits)} | {_listed(then)} |"


def rooms() -> Iterator[str]:
    """Yield a row for each room, those within it behind it."""
    yield "| room | of ours | of others |"
    yield "|---|---|---|"
    for name, room in sorted((ROOMS | INNER_ROOMS).items()):
        if name and not name.startswith("_"):
            yield f"| {name} | {_listed(sorted(room.ours))} | {_listed(sorted(room.third))} |"


def _listed(names: list[str]) -> str:
    return "anything" if "*" in names else ", ".join(names) or "–"


def page() -> str:
    """Return the page with the tables as they have to be."""
    text = PAGE.read_text(encoding="utf-8")
    for rows in (list(phases()), list(rooms())):
        there = re.search(rf"^{re.escape(rows[0])}\n(?:\|.*\n)*", text, re.MULTILINE)
        assert there is not None, rows[0]
        text = text.replace(there[0], "\n".join([*rows, ""]))
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
