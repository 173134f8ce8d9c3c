"""Which rows does the table of rooms in docs/architecture.md have?"""

from __future__ import annotations

from collections.abc import Iterator

from tests.layers import INNER_ROOMS, ROOMS


def rows() -> Iterator[str]:
    """Yield a row for each room, those within it behind it."""
    inner = {name: room for name, room in INNER_ROOMS.items() if name not in ROOMS}
    for name, room in sorted((ROOMS | inner).items()):
        if name and not name.startswith("_"):
            yield f"| {name} | {_listed(room.ours)} | {_listed(room.third)} |"


def _listed(names: frozenset[str]) -> str:
    return "anything" if "*" in names else ", ".join(sorted(names)) or "–"


if __name__ == "__main__":
    print("\n".join(rows()))
