"""Does a crawl without a job say that it cannot explain a URL? (One with a job: tests/commands/test_steered.py)"""

from __future__ import annotations

from typing import Any

import pytest

from crawler import SteeringError
from tests.engine.virtual import any_page, crawl, spider
from tests.steering.steered import steered


def test_a_crawl_without_a_job_says_that_it_keeps_nothing() -> None:
    def ask(control: Any) -> None:
        with pytest.raises(SteeringError, match="without a job keeps nothing") as error:
            control.explain("http://a.test/")
        said.append(str(error.value))

    said: list[str] = []
    crawl(spider(), any_page, during=steered((0.005, ask)))
    assert len(said) == 1
