"""Are the metrics of docs/metrics.md those that there are, and do dashboard and alerts ask for nothing else?"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crawler.observe.board.shown import Worker
from crawler.observe.metrics import of_crawl
from tests.observe.test_metrics import Counted

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "metrics/grafana.json").read_text())
NAME = re.compile(r"\bcrawler_[a-z_]+")


class Shared(Counted):
    """A crawl of several workers, which tells all that there is."""

    def workers(self) -> list[Worker]:
        return [Worker(name="w1")]


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """The names of all samples with their labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(of_crawl(Shared()).text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Yield each query of the dashboard with its legend, by the panel's title."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["expr"], annotation["titleFormat"]


def test_the_table_names_every_metric_with_its_labels(told: dict[str, set[str]]) -> None:
    table = dict(re.findall(r"`(crawler_[a-z_]+)(?:\{([a-z, ]+)\})?`", (DOCS / "metrics.md").read_text()))
    documented = {name: set(labels.split(", ")) - {""} for name, labels in table.items()}
    histogram = "crawler_response_duration_seconds"
    there = {name: labels - {"spider"} for name, labels in told.items() if not name.startswith(histogram)}
    assert documented == there | {histogram: set()}


def test_each_query_of_the_dashboard_and_each_alert_names_metrics_and_labels_that_exist(
    told: dict[str, set[str]],
) -> None:
    alerts = re.findall(r"^ +(?:expr: (?!\|)|  +)(.*crawler_.*)$", (DOCS / "metrics/alerts.yml").read_text(), re.M)
    assert len(alerts) >= 9
    asked = [(expression, "") for expression in alerts] + list(queries())
    for expression, legend in asked:
        names = set(NAME.findall(expression))
        assert names
        assert names <= told.keys()
        labels = set().union(*(told[name] for name in names)) | {"instance", "job"}
        for wanted in re.findall(
            r"\bby \(([^)]*)\)|\bon \(([^)]*)\)|\{\{(\w+)\}\}|[{ ](\w+)=~?\"", expression + legend
        ):
            assert set("".join(wanted).split(", ")) <= labels, expression


def test_the_dashboard_can_be_imported_whatever_the_data_source_is_called() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    sources: list[Any] = [panel["datasource"] for panel in DASHBOARD["panels"]]
    sources += [target["datasource"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in DASHBOARD["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


@pytest.mark.slow
@pytest.mark.parametrize("check", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_agrees_with_the_alerts(check: list[str]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian's package prometheus) is not installed")
    done = subprocess.run(
        ["promtool", *check], cwd=DOCS / "metrics", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout
