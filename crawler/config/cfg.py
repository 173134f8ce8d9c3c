"""Where does a project of Scrapy's say what its settings module is?"""

from __future__ import annotations

import os
from pathlib import Path

CFG = "scrapy.cfg"
MODULE_VARIABLE = "SCRAPY_SETTINGS_MODULE"


def closest_cfg(start: Path) -> Path | None:
    """Return the nearest scrapy.cfg, from a folder upwards."""
    start = start.resolve()
    return next((folder / CFG for folder in (start, *start.parents) if (folder / CFG).exists()), None)


def sources(start: Path | None) -> list[str]:
    """Return the files that are read as scrapy.cfg, the later ones win: the machine's, the user's, the project's."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    usual = ["/etc/scrapy.cfg", r"c:\scrapy\scrapy.cfg", str(Path(home) / CFG), str(Path("~/.scrapy.cfg").expanduser())]
    closest = closest_cfg(start) if start is not None else None
    return usual + ([str(closest)] if closest is not None else [])
