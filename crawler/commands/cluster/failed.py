"""What failed of a job of many workers, and how is it put back into its queue?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from crawler.assembly.rules import checked_fingerprint
from crawler.commands.cluster.finding import asked, is_private
from crawler.config.schema import CoreSettings
from crawler.storage.again import Renewed
from crawler.storage.cluster import library
from crawler.storage.cluster.address import is_url
from crawler.storage.cluster.finished import put_back, restore
from crawler.storage.cluster.jobs import FORM, ServerJobs
from crawler.storage.cluster.private import SUFFIX
from crawler.storage.cluster.trace import ServerTraces
from crawler.storage.history import Failed, Run
from crawler.storage.itemrecord import revive_record
from crawler.storage.jobs import Job, job_path, make_folder


def shared_failures(core: CoreSettings, job: Job) -> Iterator[Failed]:
    """Yield what failed of a job of many workers. Raises StoreError."""
    with asked(core, job.path if is_private(job) else None) as jobs:
        yield from sorted(_traces(jobs, job.name, core).failed(), key=lambda each: each.token)


def _traces(jobs: ServerJobs, name: str, core: CoreSettings) -> ServerTraces:
    return ServerTraces(jobs.connection, jobs.key(name), checked_fingerprint(core.FINGERPRINT), lambda request: "")


def put_back_shared(core: CoreSettings, job: Job, renewed: Renewed) -> int:
    """Put what failed back into the queue of a job that nobody works on; return how many requests these are.

    Raises JobInUse and StoreError.
    """
    with asked(core, job.path if is_private(job) else None) as jobs:
        jobs.check_unused(job.name)
        count = put_back(jobs, job.name, list(_traces(jobs, job.name, core).failed()), renewed)
        if job.state == "finished":
            key = jobs.key(job.name)
            about = {"form": FORM, "created": job.created, **job.description}
            jobs.connection.command("SET", f"{key}:about", msgspec.json.encode(about))
            jobs.connection.command("DEL", f"{key}:marks", f"{key}:numbers")
        return count


def revive_shared(core: CoreSettings, run: Run, renewed: Renewed, description: dict[str, Any]) -> int:
    """Make a job of a finished run of many workers, where its command had it, with what failed in its queue; return how
    many requests these are. Raises UsageError, JobInUse and StoreError.
    """
    folder = None if is_url(core.JOB_STORE) else make_folder(core.JOB_DIR) / f"{run.job}{SUFFIX}"
    about = {name: value for name, value in description.items() if name != "library"}
    with asked(core, folder) as jobs:
        count = restore(jobs, run, renewed)
        revive_record(job_path(make_folder(core.JOB_DIR), run.job), run)
        jobs.make(run.job, about, wall=run.created, library=library.NAME)
    return count
