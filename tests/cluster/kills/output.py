"""Is every item of the world once in each output?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.cluster.kills.world import World
from tests.feeds.readers import read

OUTPUTS = ("out.jsonl", "out.json", "out.csv", "out.xml", "gz.jsonl.gz")


def wrong_items(folder: Path, world: World) -> list[str]:
    """Say for each output what is missing in it, doubled or not of this world; all must be valid files."""
    problems = []
    for name in OUTPUTS:
        items = read(folder / name)
        found = Counter(item["path"] for item in items)
        for what, paths in {
            "is missing": world.items - set(found),
            "is there twice": {path for path, count in found.items() if count > 1},
            "is not of this world": set(found) - world.items,
        }.items():
            if paths:
                problems.append(f"{name}: {len(paths)} times an item {what}: {', '.join(sorted(paths)[:5])}")
        late = {item["path"] for item in items if item.get("late")}
        if late != {page.name for page in world.pages if page.number > 500 and page.number % 10 == 0}:
            problems.append(f"{name}: the late column is wrong")
    return problems
