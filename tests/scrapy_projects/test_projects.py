"""Do Scrapy's projects ask the same, find the same and count the same when we run them, without an edit?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scrapy_projects.comparing import differences
from tests.scrapy_projects.projects import PROJECTS, Project
from tests.scrapy_projects.running import SCRAPY, run_both

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.spread,
    pytest.mark.skipif(not (SCRAPY / "scrapy").exists(), reason="Scrapy is not there: make scrapy-setup"),
]


@pytest.mark.parametrize("project", PROJECTS.values(), ids=PROJECTS.keys())
def test_a_project_does_the_same_here(project: Project, tmp_path: Path) -> None:
    found = []
    for run in project.runs:
        real, ours = run_both(project.copier(), run, site=project.site, folder=tmp_path)
        found += [f"{' '.join(run.command)}: {line}" for line in differences(real, ours, run)]
    assert not found, "\n".join(found)
