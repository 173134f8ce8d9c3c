"""Which job does a script go on with that names one?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler import Spider
from crawler.assembly.job import JobPlan, going_on
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.storage import schema
from crawler.storage.values import Values


class Books(Spider):
    name = "books"


def plan(folder: Path, **settings: Any) -> JobPlan:
    given = {"JOB_DIR": str(folder), "JOB_NAME": "mine", **settings}
    return going_on(Settings(given), Books(), JobPlan())


def made(folder: Path, **described: Any) -> None:
    schema.create(folder / "mine.sqlite", {name: Values().encode(value) for name, value in described.items()})


def test_a_job_that_is_not_there_is_begun(tmp_path: Path) -> None:
    assert plan(tmp_path).resume is None


@pytest.mark.parametrize("described", [{"spider": "books"}, {}])  # before scripts' jobs kept the spider's name
def test_a_job_of_the_script_s_goes_on(described: dict[str, Any], tmp_path: Path) -> None:
    made(tmp_path, state="stopped", **described)
    assert plan(tmp_path).resume == "mine"
    assert plan(tmp_path, JOB_NAME=None).resume is None
    assert plan(tmp_path, JOB_STORE=None).resume is None


def test_what_began_a_job_of_another_spider_is_said(tmp_path: Path) -> None:
    made(tmp_path, state="stopped", spider="quotes")
    with pytest.raises(UsageError, match="with the spider quotes; the script that began it goes on with it; `crawler"):
        plan(tmp_path)


def test_a_finished_job_is_in_the_way_only_if_it_is_kept(tmp_path: Path) -> None:
    made(tmp_path, state="finished", spider="books")
    assert plan(tmp_path).resume is None
    with pytest.raises(UsageError, match="is finished; `crawler jobs -s JOB_DIR="):
        plan(tmp_path, JOB_KEEP=True)


def test_a_command_about_a_job_names_where_it_is(tmp_path: Path) -> None:
    here, url = JobPlan(usual=tmp_path), "redis://h/1"
    assert here.command("jobs rm a", Settings({"JOB_DIR": str(tmp_path)}).core) == "crawler jobs rm a"
    elsewhere = Settings({"JOB_DIR": "/b c"}).core
    assert here.command("resume a", elsewhere) == "crawler resume -s 'JOB_DIR=/b c' a"
    on_server = Settings({"JOB_STORE": url}).core
    assert here.command("jobs rm a", on_server) == "crawler jobs rm a"  # it stands in the project's settings
    typed = JobPlan(usual=tmp_path, typed={"JOB_STORE": url, "JOB_PREFIX": "p", "LOG_LEVEL": "INFO"})
    assert typed.command("jobs rm a", on_server) == f"crawler jobs -s JOB_STORE={url} -s JOB_PREFIX=p rm a"
