"""Which jobs of many workers are there, in the folder of jobs and on the server of JOB_STORE, and how is one removed?

A private server that does not run is started for as long as it is asked. One that runs is asked where it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.commands.cluster.ground import jobs_at
from crawler.config.schema import CoreSettings
from crawler.errors import CrawlerError, JobInUse
from crawler.storage.cluster import library
from crawler.storage.cluster.address import Address, address_of, is_url
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobs import ServerJobs
from crawler.storage.cluster.private import SUFFIX, PrivateServer, running_at
from crawler.storage.jobs import Job, remove_feeds

PATIENCE_SECONDS = 3.0
"""So long a server that goes away while it is asked is waited for."""


def shared_jobs(core: CoreSettings, private: Callable[[CoreSettings, Path], list[Job]] | None = None) -> list[Job]:
    """Return all jobs of many workers. Raises UsageError for a server of JOB_STORE that cannot be asked.

    ``private`` asks a private server, in the place of ``private_jobs``.
    """
    ask = private or private_jobs
    found = [job for folder in private_folders(core) for job in ask(core, folder)]
    if is_url(core.JOB_STORE):
        with asked(core, None) as jobs:
            found += jobs.list()
    return found


def private_jobs(core: CoreSettings, folder: Path) -> list[Job]:
    """Return the jobs of a private server, one that is damaged if it cannot be asked."""
    runs = running_at(folder) is not None
    try:
        with asked(core, folder) as jobs:
            return [of_private(job, folder, runs=runs) for job in jobs.list()]
    except CrawlerError as error:
        return [Job(folder.stem, folder, "damaged", problem=str(error))]


def of_private(job: Job, folder: Path, *, runs: bool) -> Job:
    """Return what is known of a job with a server of its own: nobody can work on it while that does not run."""
    state = "stopped" if job.state == "running" and not runs else job.state
    return job._replace(path=folder, state=state)


def private_folders(core: CoreSettings) -> list[Path]:
    """Return the folders of jobs that have a server of their own."""
    try:
        return sorted(path for path in Path(core.JOB_DIR).absolute().iterdir() if path.suffix == SUFFIX)
    except OSError:  # told by whoever looks for job files there
        return []


def is_private(job: Job) -> bool:
    """Tell whether a job of many workers has a server of its own."""
    return job.path.suffix == SUFFIX


def remove_shared(core: CoreSettings, job: Job) -> None:
    """Remove a job; raises JobInUse while somebody works on it."""
    if not is_private(job):
        with asked(core, None) as jobs:
            jobs.remove(job.name)
    elif running_at(job.path) is not None:
        raise JobInUse(f"the job {job.name} is in use; stop that first (Ctrl-C)")
    else:
        shutil.rmtree(job.path, ignore_errors=True)
    remove_feeds(core.JOB_DIR, job.name)


@contextmanager
def asked(core: CoreSettings, folder: Path | None) -> Iterator[ServerJobs]:
    """Ask the server of a job's folder, or that of JOB_STORE (None). Raises UsageError, StoreError and JobInUse."""
    if folder is None:
        with connected(core, address_of(core)) as jobs:
            yield jobs
    elif (running := running_at(folder)) is not None:
        with connected(core, running) as jobs:
            yield jobs
    else:
        with PrivateServer(folder) as private, connected(core, private.address) as jobs:
            yield jobs


@contextmanager
def connected(core: CoreSettings, address: Address) -> Iterator[ServerJobs]:
    """Return the jobs at an address. Raises UsageError."""
    lease = core.JOB_LEASE_SECONDS
    connection = Connection(address, lease=lease, library=library.SOURCE, patience=PATIENCE_SECONDS)
    connection.open()
    try:
        yield jobs_at(connection, core.JOB_PREFIX)
    finally:
        connection.close()
