"""Which store does a crawl get, and what must its job remember to be resumed?"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import logging
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from itemadapter import ItemAdapter

from crawler.config.components import checked, constructed
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import JobInUse, UsageError
from crawler.frontier.store import Store
from crawler.storage.codec import CannotStore, Codec
from crawler.storage.jobs import Job, find_job, job_path, make_folder, new_name, read_job, remove_job
from crawler.storage.memory import MemoryStore
from crawler.storage.sqlite import SQLiteStore

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """How a crawl's job is made or found.

    ``description`` (plain values) is kept with a new job: what `crawler resume` needs to run it again.
    ``resume`` names a job that is to be continued.
    """

    description: dict[str, Any] = dataclasses.field(default_factory=dict)
    resume: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ChosenStore:
    """A store, the name of its job (None: it has none) and the job's file."""

    store: Store
    job: str | None = None
    path: Path | None = None

    def forget(self) -> None:
        """Remove the file of a job that is done, or was never begun."""
        if self.path is not None:
            with contextlib.suppress(JobInUse):  # a `crawler resume` looks at it just now, and finds it finished
                remove_job(self.path)


def begun_at(core: CoreSettings, plan: JobPlan, wall: float) -> float:
    """Return when the crawl began (seconds since the epoch): a resumed one writes to files of that time's name."""
    if plan.resume is None or core.JOB_STORE != "sqlite":
        return wall
    return find_job(make_folder(core.JOB_DIR), plan.resume).created or wall


def choose_store(settings: Settings, spider: Any, *, plan: JobPlan, reactor: Any, wall: float) -> ChosenStore:
    """Return the store that JOB_STORE names. Raises UsageError for a job that cannot be begun or resumed."""
    core = settings.core
    if core.JOB_STORE in (None, "memory"):
        return ChosenStore(MemoryStore())
    if core.JOB_STORE != "sqlite":
        return ChosenStore(_store_of_ones_own(settings, spider), core.JOB_NAME)
    folder = make_folder(core.JOB_DIR)
    name = plan.resume or core.JOB_NAME or new_name(folder, spider.name, wall)
    path = job_path(folder, name)
    if plan.resume is not None:
        _resumable(find_job(folder, name))
    elif path.exists() and not _left_over(path, core):
        raise UsageError(
            f"there is a job {name} already: continue it with `crawler resume {name}`, "
            f"remove it with `crawler jobs rm {name}`, or take another name"
        )
    store = SQLiteStore(
        path,
        reactor=reactor,
        codec=ItemCodec(spider),
        window=core.JOB_WINDOW,
        description={"created": wall, **plan.description},
        resume=plan.resume is not None,
    )
    return ChosenStore(store, name, path)


def _store_of_ones_own(settings: Settings, spider: Any) -> Store:
    kind = settings.core.JOB_STORE
    shape = "__init__(self, spider, settings) and the methods of crawler.frontier.store.Store"
    made = constructed(kind, "JOB_STORE", spider, settings.core, shape=shape)
    store: Store = checked(made, "JOB_STORE", has=("open", "commit", "lease", "finish"), shape=shape)
    for name, value in settings.of(kind).items() if isinstance(kind, type) else ():
        setattr(store, name, value)
    return store


def _left_over(path: Path, core: CoreSettings) -> bool:
    """Remove a finished job that was to go by itself, and whose process was killed before; tell whether it was one."""
    if core.JOB_KEEP or read_job(path).state != "finished":
        return False
    remove_job(path)
    return True


def _resumable(job: Job) -> None:
    if job.state == "damaged":
        raise UsageError(f"job {job.name} is damaged: {job.problem}")
    if job.state == "finished":
        raise UsageError(f"job {job.name} is finished; there is nothing to resume")


class ItemCodec(Codec):
    """The codec of a project: its item classes are those of the modules that are loaded with the spider.

    An item of a class from elsewhere is kept by its fields; a value that has no stored form, by its text,
    as the feeds write it.
    """

    def __init__(self, spider: Any) -> None:
        super().__init__(spider, project_classes(type(spider)))
        self._told: set[type] = set()

    def encode_item(self, item: Any) -> bytes:
        """Return the stored form of any item."""
        try:
            return super().encode_item(item)
        except CannotStore as error:
            fields = dict(item) if isinstance(item, dict) else ItemAdapter(item).asdict()
            if type(item) not in self._told:
                self._told.add(type(item))
                logger.warning("Items of type %s are kept in the job by their fields: %s", type(item).__name__, error)
            return super().encode_item({str(name): self._plain(value) for name, value in fields.items()})

    def _plain(self, value: Any) -> Any:
        try:
            super().encode_item(value)
        except CannotStore:
            return str(value)
        return value


def project_classes(spider: type) -> list[type]:
    """Return the item and enum classes that the spider's project defines: a closed registry."""
    found: dict[type, None] = {}
    for module in _project_modules(spider):
        for value in list(vars(module).values()):
            if inspect.isclass(value) and value.__module__ == module.__name__ and _is_storable(value):
                found[value] = None
    return list(found)


def _project_modules(spider: type) -> Iterator[ModuleType]:
    packages = {spider.__module__.partition(".")[0], "items", "pipelines", "spiders", "__main__"}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in packages and isinstance(module, ModuleType):
            yield module


def _is_storable(cls: type) -> bool:
    return ItemAdapter.is_item_class(cls) or dataclasses.is_dataclass(cls) or issubclass(cls, Enum)
