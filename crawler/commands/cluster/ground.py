"""On which server, and as which job, does a crawl of many workers run?

JOB_STORE says where the server is; without a URL it is a private one, whose data lies in the folder of jobs. The same
command again goes on with the job that it names, as a crawl of one process does.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawler.assembly.job import JobPlan, of_another_command
from crawler.commands.cluster.kept import check_kept
from crawler.commands.options import COMMAND
from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.storage.cluster import library
from crawler.storage.cluster.address import Address, address_of, is_url
from crawler.storage.cluster.checks import check_server
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.jobs import ServerJobs, Starter, check_library
from crawler.storage.cluster.private import SUFFIX, PrivateServer
from crawler.storage.jobs import Job, job_path, make_folder, new_job, remove_job

logger = logging.getLogger("crawler")


@dataclass(slots=True)
class Ground:
    """A server and a job on it, of which this process is the starter. ``private`` is its own server, if it has one."""

    connection: Connection
    jobs: ServerJobs
    job: Job
    starter: Starter
    resumed: bool
    private: PrivateServer | None = None

    @property
    def address(self) -> Address:
        """Where the server is."""
        return self.connection.address

    @property
    def key(self) -> str:
        """What the keys of the job begin with."""
        return self.jobs.key(self.job.name)

    def abandon(self) -> None:
        """Leave nothing of a new job whose crawl could not be made."""
        if not self.resumed:
            self.forget()
        self.release()
        self.connection.close()
        self.end()

    def forget(self) -> None:
        """Remove the job, which is done, or was never begun; raises StoreError."""
        if self.private is None:
            self.jobs.remove(self.job.name, starter=self.starter)
        else:
            self.private.end()
            shutil.rmtree(self.private.folder, ignore_errors=True)

    def release(self) -> None:
        """Let another starter begin. A server that is away is not waited for long; raises StoreError then."""
        if self.private is None or self.private.runs:
            self.starter.release()

    def end(self) -> None:
        """End the server, if it is this process's."""
        if self.private is not None:
            self.private.end()


def take_ground(core: CoreSettings, about: Mapping[str, Any], plan: JobPlan, *, wall: float) -> Ground:
    """Make the job, or find the one that is to go on, and become its starter. Raises UsageError and JobInUse."""
    if is_url(core.JOB_STORE):
        return _taken(core, address_of(core), about, plan, plan.resume or core.JOB_NAME, wall, None)
    if core.JOB_STORE != "sqlite":
        raise UsageError(
            "--workers needs a store that several processes can share: leave JOB_STORE as it is, for a server of the "
            "crawl's own, or give it the URL of one, redis://HOST"
        )
    folder = make_folder(core.JOB_DIR)
    name = plan.resume or core.JOB_NAME
    if name is None:
        name, lock = new_job(folder, str(about["spider"]), wall)
        lock.release()
        remove_job(job_path(folder, name))  # the lock's file, which is all that there is
    if job_path(folder, name).exists():
        raise UsageError(
            f"job {name} was begun in one process; `{plan.command(f'resume {name}', core)}` goes on with it; or take "
            "another name"
        )
    private = PrivateServer(folder / f"{name}{SUFFIX}")
    is_new = not private.folder.exists()
    if plan.resume is not None and is_new:
        raise UsageError(f"no job {name!r} in {folder}")
    private.start()
    try:
        return _taken(core, private.address, about, plan, name, wall, private)
    except BaseException:
        private.end()
        if is_new:
            shutil.rmtree(private.folder, ignore_errors=True)
        raise


def jobs_at(connection: Connection, prefix: str) -> ServerJobs:
    """Return the jobs of a project on a server."""
    return library.LibraryJobs(connection, prefix)


def _taken(
    core: CoreSettings,
    address: Address,
    about: Mapping[str, Any],
    plan: JobPlan,
    name: str | None,
    wall: float,
    private: PrivateServer | None,
) -> Ground:
    connection = Connection(address, lease=core.JOB_LEASE_SECONDS, library=library.SOURCE)
    try:
        connection.open()
        for warning in check_server(connection, resumed=plan.resume is not None):
            logger.warning("%s", warning)
        library.load(connection)
        jobs = jobs_at(connection, core.JOB_PREFIX)
        job = _going_on(jobs, name, about, plan, core)
        resumed = job is not None
        if job is None:
            if private is None:
                check_kept(about[COMMAND]["settings"], address)
            job = jobs.find(jobs.make(name, about, wall=wall, library=library.NAME))
        if private is not None and resumed:
            _forget_processes(connection, jobs.key(job.name))
        starter = jobs.starter(job.name, core.JOB_LEASE_SECONDS)
        starter.acquire()
        return Ground(connection, jobs, job, starter, resumed, private)
    except BaseException:
        connection.close()
        raise


def _forget_processes(connection: Connection, key: str) -> None:
    """Bury whoever worked on a job with a server of its own: they ended with it, and no lease need be waited for."""
    connection.command("UNLINK", f"{key}:starter")
    calls = JobCalls(connection, key)
    for identity in connection.command("ZRANGE", f"{key}:w", 0, -1):
        calls.bury(identity.decode())


def _going_on(
    jobs: ServerJobs, name: str | None, about: Mapping[str, Any], plan: JobPlan, core: CoreSettings
) -> Job | None:
    """Return the job that is there by this name and goes on, None for a new one. Raises UsageError."""
    there = name is not None and (plan.resume is not None or any(job.name == name for job in jobs.list()))
    if not there or name is None:
        return None
    job = jobs.find(name)
    anew = f"`{plan.command(f'jobs rm {name}', core)}` removes it, so that this command begins anew"
    if job.state == "finished":
        raise UsageError(f"job {name} is finished, there is nothing to resume; {anew}")
    check_library(job, library.NAME)
    if plan.resume is None and (other := of_another_command(job, str(about["spider"]), about)):
        goes_on = f"`{plan.command(f'resume {name}', core)}` goes on with it"
        raise UsageError(f"job {name} was begun {other}; {goes_on}; {anew}; or take another name")
    return job
