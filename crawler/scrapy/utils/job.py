"""Where does a crawl keep what a later run goes on from?"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def job_dir(settings: Any) -> str | None:
    """Return the folder that JOBDIR names, made where it is missing; None without one."""
    folder: str | None = settings["JOBDIR"]
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return folder or None
