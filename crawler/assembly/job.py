"""Which store does a crawl get, and what must its job remember to be resumed?"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shlex
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from itemadapter import ItemAdapter

from crawler.assembly.leaving import COMMAND, leave_history
from crawler.config.components import checked, constructed
from crawler.config.importing import classes_in
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import JobInUse, UsageError
from crawler.frontier.store import Store
from crawler.spider import Spider
from crawler.storage.codec import CannotStore, Codec
from crawler.storage.jobs import Job, find_job, job_path, make_folder, new_job, read_job, remove_job
from crawler.storage.lock import JobLock
from crawler.storage.memory import MemoryStore, NewestFirstStore
from crawler.storage.sqlite import SQLiteStore
from crawler.storage.values import Value

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """How a crawl's job is made or found.

    ``description`` (plain values) is kept with a new job: what `crawler resume` needs to run it again.
    ``resume`` names a job that is to be continued. ``usual`` is the folder in which the commands look for jobs if they
    are not told another; ``typed`` are the settings of the command line. ``anew``: settings given to this run, not
    by the command that began the job: they win over what was changed while that ran.
    """

    description: dict[str, Any] = dataclasses.field(default_factory=dict)
    resume: str | None = None
    usual: Path = dataclasses.field(default_factory=lambda: Path(CoreSettings().JOB_DIR).absolute())
    typed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    anew: frozenset[str] = frozenset()

    @property
    def is_part(self) -> bool:
        """Whether it is that of one worker."""
        return False

    def store_of(self, spider: Spider) -> Store | None:
        """Return the store of a worker; None: the settings name the store."""
        return None

    def command(self, words: str, core: CoreSettings) -> str:
        """Return a command about a job, with the folder of jobs or the server where it would not look by itself."""
        first, _, rest = words.partition(" ")
        places = [f"{name}={self.typed[name]}" for name in ("JOB_STORE", "JOB_PREFIX") if name in self.typed]
        if "://" not in str(core.JOB_STORE):
            places = [] if Path(core.JOB_DIR).absolute() == self.usual else [f"JOB_DIR={core.JOB_DIR}"]
        return " ".join(["crawler", first, *(f"-s {shlex.quote(place)}" for place in places), rest])


@dataclasses.dataclass(frozen=True, slots=True)
class ChosenStore:
    """A store, the name of its job (None: it has none) and the job's file."""

    store: Store
    job: str | None = None
    path: Path | None = None
    lock: JobLock | None = None

    def abandon(self) -> None:
        """Leave nothing of a new job whose crawl could not be made."""
        if self.lock is not None:
            self.lock.release()
            self.forget()

    def leave(self, core: CoreSettings, wall: float) -> str:
        """The crawl has finished: remove the job's file, but for what is kept of it, and unless JOB_KEEP is set.

        Return why that cannot be kept, "" if it is.
        """
        problem = leave_history(self.path, core, wall) if self.path is not None else ""
        if not (problem or core.JOB_KEEP):
            self.forget()
        return problem

    def forget(self) -> None:
        """Remove the file of a job that is done, or was never begun."""
        if self.path is not None:
            with contextlib.suppress(JobInUse):  # a `crawler resume` looks at it just now, and finds it finished
                remove_job(self.path)


def going_on(settings: Settings, spider: Spider, plan: JobPlan) -> JobPlan:
    """Return the plan as one that goes on with the job that JOB_NAME names, if that is there and has not ended.

    So the same command again goes on, as with Scrapy's JOBDIR. Raises UsageError for a job of another command and for
    one that is finished and kept, and JobInUse.
    """
    core = settings.core
    if plan.resume is not None or core.JOB_NAME is None or core.JOB_STORE != "sqlite":
        return plan
    path = job_path(core.JOB_DIR, core.JOB_NAME)
    if path.with_suffix(".cluster").exists():
        again = plan.command(f"resume {core.JOB_NAME}", core)
        raise UsageError(f"job {core.JOB_NAME} was begun with workers; `{again}` goes on with it; or take another name")
    job = read_job(path) if path.exists() else None
    if job is None or (job.state == "finished" and not core.JOB_KEEP):
        return plan
    remove = plan.command(f"jobs rm {job.name}", core)
    anew = f"`{remove}` removes it, so that this command begins anew; or take another name"
    if job.state == "damaged":
        raise UsageError(f"job {job.name} is damaged: {job.problem}; {anew}")
    if job.state == "finished":
        raise UsageError(f"job {job.name} is finished; {anew}")
    if job.state == "running":
        lock = JobLock(path)
        lock.acquire()  # JobInUse names the process
        lock.release()
    if other := of_another_command(job, spider.name, plan.description):
        by_command = "command" in job.description
        how = f"`{plan.command(f'resume {job.name}', core)}`" if by_command else "the script that began it"
        raise UsageError(f"job {job.name} was begun {other}; {how} goes on with it; {anew}")
    return dataclasses.replace(plan, resume=job.name)


def of_another_command(job: Job, spider: str, description: Mapping[str, Any]) -> str:
    """Return what the job was begun with and this command has not; "" if it is the same as far as it matters."""
    name = job.description.get("spider", spider)
    if name != spider:
        return f"with the spider {name}"
    begun, now = (each.get("command", {}).get("arguments") for each in (job.description, description))
    if begun == now or begun is None or now is None:
        return ""
    return "with " + (" ".join(f"-a {shlex.quote(f'{key}={value}')}" for key, value in begun.items()) or "no arguments")


class Begun(NamedTuple):
    """When a crawl began (seconds since the epoch): a resumed one writes to files of that time's name.

    ``append``: its feeds are there already, whatever the settings say, for it had finished before.
    """

    at: float
    append: bool = False


def begun_of(job: Job) -> Begun:
    """Return when the crawl of a job began."""
    return Begun(job.created, bool((job.description.get(COMMAND) or {}).get("append")))


def begun(core: CoreSettings, plan: JobPlan, wall: float) -> Begun:
    """Return when the crawl began, at ``wall`` unless it goes on with a job."""
    if plan.resume is None or core.JOB_STORE != "sqlite":
        return Begun(wall)
    found = begun_of(find_job(make_folder(core.JOB_DIR), plan.resume))
    return found._replace(at=found.at or wall)


def choose_store(
    settings: Settings, spider: Spider, *, plan: JobPlan, reactor: ReactorBase | None, wall: float
) -> ChosenStore:
    """Return the store that JOB_STORE names. Raises UsageError for a job that cannot be begun or resumed."""
    core = settings.core
    if (of_worker := plan.store_of(spider)) is not None:
        return ChosenStore(of_worker, plan.resume)
    if core.JOB_STORE in (None, "memory"):
        return ChosenStore(NewestFirstStore() if core.QUEUE_ORDER == "newest" else MemoryStore())
    if isinstance(core.JOB_STORE, str) and "://" in core.JOB_STORE:
        raise UsageError(
            "JOB_STORE is the URL of a server: a crawl on one is begun by a command (`crawler crawl`, `crawler run`), "
            "whose workers are processes of their own; a script can start that command"
        )
    if core.JOB_STORE != "sqlite":
        return ChosenStore(_store_of_ones_own(settings, spider), core.JOB_NAME)
    folder = make_folder(core.JOB_DIR)
    name, lock = plan.resume or core.JOB_NAME, None
    if name is None:
        name, lock = new_job(folder, spider.name, wall)
    path = job_path(folder, name)
    if plan.resume is not None:
        _resumable(find_job(folder, name), plan, core, wall)
    elif path.exists() and read_job(path).state == "finished":  # it was to go by itself; its process was killed before
        end_finished(path, plan, core, wall)
    assert reactor is not None  # only a crawl in memory does without
    store = SQLiteStore(
        path,
        reactor=reactor,
        codec=ItemCodec(spider),
        window=core.JOB_WINDOW,
        description={"created": wall, "spider": spider.name, **plan.description},
        resume=plan.resume is not None,
        lock=lock,
        newest=core.QUEUE_ORDER == "newest",
    )
    return ChosenStore(store, name, path, lock)


def end_finished(path: Path, plan: JobPlan, core: CoreSettings, wall: float) -> None:
    """Do what the process of a job that has finished had not come to: write what is kept of it, and remove it.

    Raises UsageError if that cannot be kept, and JobInUse.
    """
    if problem := leave_history(path, core, wall):
        remove = plan.command(f"jobs rm {path.stem}", core)
        raise UsageError(f"job {path.stem} is finished, but stays: {problem}; `{remove}` removes it all the same")
    remove_job(path)


def _store_of_ones_own(settings: Settings, spider: Spider) -> Store:
    kind = settings.core.JOB_STORE
    shape = "__init__(self, spider, settings) and the methods of crawler.frontier.store.Store"
    made = constructed("JOB_STORE", shape, kind, spider, settings.core)
    store: Store = checked(made, "JOB_STORE", has=("open", "claim", "commit", "lease", "may_send"), shape=shape)
    for name, value in settings.of(kind).items() if isinstance(kind, type) else ():
        setattr(store, name, value)
    return store


def _resumable(job: Job, plan: JobPlan, core: CoreSettings, wall: float) -> None:
    if job.state == "damaged":
        raise UsageError(f"job {job.name} is damaged: {job.problem}")
    if job.state == "finished" and not core.JOB_KEEP:
        end_finished(job.path, plan, core, wall)
        raise UsageError(f"job {job.name} is finished; there is nothing to resume, and what is kept of it is written")
    if job.state == "finished":
        raise UsageError(
            f"job {job.name} is finished; there is nothing to resume. To begin anew, remove it with "
            f"`{plan.command(f'jobs rm {job.name}', core)}` and give its first command again"
        )


class ItemCodec(Codec):
    """The codec of a project: its item classes are those of the modules that are loaded with the spider.

    An item of a class from elsewhere is kept by its fields; a value that has no stored form, by its text,
    as the feeds write it.
    """

    def __init__(self, spider: Spider) -> None:
        super().__init__(spider, project_classes(type(spider)))
        self._told: set[type] = set()

    def encode_item(self, item: Value) -> bytes:
        """Return the stored form of any item."""
        try:
            return super().encode_item(item)
        except CannotStore as error:
            if type(item) is tuple:  # with where it comes from
                return super().encode_item((self.decode(self.encode_item(item[0])), *item[1:]))
            fields = dict(item) if isinstance(item, dict) else ItemAdapter(item).asdict()
            if type(item) not in self._told:
                self._told.add(type(item))
                logger.warning("Items of type %s are kept in the job by their fields: %s", type(item).__name__, error)
            return super().encode_item({str(name): self._plain(value) for name, value in fields.items()})

    def _plain(self, value: Value) -> Value:
        try:
            super().encode_item(value)
        except CannotStore:
            return str(value)
        return value


def project_classes(spider: type) -> list[type]:
    """Return the item and enum classes that the spider's project defines: a closed registry."""
    packages = {spider.__module__.partition(".")[0], "items", "pipelines", "spiders", "__main__"}
    found: dict[type, None] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in packages and isinstance(module, ModuleType):
            found |= dict.fromkeys(filter(_is_storable, classes_in(module)))
    return list(found)


def _is_storable(cls: type) -> bool:
    return ItemAdapter.is_item_class(cls) or dataclasses.is_dataclass(cls) or issubclass(cls, Enum)
