"""What does a job of many workers leave when its crawl has finished?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.assembly.leaving import leave, without_secrets
from crawler.assembly.rules import checked_fingerprint
from crawler.commands.cluster.ground import Ground
from crawler.config.schema import CoreSettings
from crawler.storage.cluster.finished import FinishedJob
from crawler.storage.values import Values


def leave_shared(ground: Ground, core: CoreSettings, stats: Mapping[str, Any], wall: float) -> str:
    """Write the history of a finished job; return why the job may not go, "" if it may. Never raises."""
    job = ground.job
    description, withheld = without_secrets(job.description)
    finished = FinishedJob(ground.jobs, job, checked_fingerprint(core.FINGERPRINT))

    def keep() -> Path:
        return finished.keep(core.JOB_DIR, description, withheld, stats=Values().encode(dict(stats)), ended=wall)

    return leave(Path(core.JOB_DIR), job.name, str(description.get("spider", "")), core, wall, keep)
