"""Does each stage have a memory of its own, and find it again?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawler.pipeline import Pipeline
from tests.engine.virtual import crawl, spider
from tests.jobs.running import start

FILE = """
from crawler import Pipeline, Request, Spider


class Counts(Pipeline):
    async def process_item(self, item):
        counts = self.memory_dict("counts")
        counts["items"] = counts.get("items", 0) + 1
        return {**item, "number": counts["items"]}


class Pages(Spider):
    name = "pages"
    custom_settings = {"PIPELINES": [Counts], "CONCURRENT_REQUESTS": 1, "CLOSESPIDER_ITEMCOUNT": 2}
    start_urls = [f"data:,{number}" for number in range(6)]

    def parse(self, response):
        yield {"text": response.text}
"""


class _Noting(Pipeline):
    async def process_item(self, item: Any) -> Any:
        notes = self.memory_dict("notes")
        notes["count"] = notes.get("count", 0) + 1
        return {**item, type(self).__module__: notes["count"]}


def test_stages_of_one_name_in_two_modules_remember_apart() -> None:
    one, other = (type("Noting", (_Noting,), {"__module__": f"pipelines.{name}"}) for name in ("one", "other"))

    def parse(self: Any, response: Any) -> Any:
        yield {}

    result = crawl(spider(parse=parse), lambda request: "page", settings={"PIPELINES": [one, other]})
    assert result.items == [{"pipelines.one": 1, "pipelines.other": 1}]


@pytest.mark.process
def test_a_stage_in_a_file_that_is_run_finds_its_memory_at_a_resume(tmp_path: Path) -> None:
    (tmp_path / "pages.py").write_text(FILE)
    log, out = tmp_path / "log", tmp_path / "out.jsonl"
    start("run", "pages.py", "--job", "nightly", "-O", "out.jsonl", log=log, cwd=tmp_path).wait(60)
    before = len(out.read_text().splitlines())
    assert before < 6
    start("resume", "nightly", "-s", "CLOSESPIDER_ITEMCOUNT=0", log=log, cwd=tmp_path).wait(60)
    items = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(item["number"] for item in items) == [1, 2, 3, 4, 5, 6], log.read_text()
