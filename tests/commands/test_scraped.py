"""Does a real Prometheus read a crawl that runs?"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.commands.conftest import Site, command, environment
from tests.servers.process import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus (Debian's package) is not installed"),
]

TOKEN = "a-token-of-the-scraper"
CONFIGURATION = """\
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: crawls
    authorization: {{credentials: {token}}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@contextmanager
def program(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    with (
        (cwd / f"{Path(arguments[0]).name}.log").open("w") as log,
        subprocess.Popen(arguments, cwd=cwd, env=environment(), stdout=log, stderr=log, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def read(url: str, token: str | None = None) -> str:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
        return str(answer.read().decode())


def eventually(url: str, wanted: Any, token: str | None = None) -> Any:
    """Return what ``wanted`` makes of an answer, once that is not nothing."""
    until = time.monotonic() + 30
    while True:
        try:
            if found := wanted(read(url, token)):
                return found
        except (urllib.error.URLError, ConnectionError):
            pass
        assert time.monotonic() < until
        time.sleep(0.1)


def test_prometheus_reads_a_running_crawl_and_the_rules_over_it(site: Site, folder: Path, spider_file: Path) -> None:
    site.held, port, own = "/3", free_port(), free_port()
    site.hold.clear()
    rules = Path(__file__).parents[2] / "docs/metrics/alerts.yml"
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(rules=rules, token=TOKEN, port=port))
    crawl = command("run", "pages.py", "--status-port", str(port), "-s", f"STATUS_TOKEN={TOKEN}")
    prometheus = ("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data")
    with (
        program(*crawl, cwd=folder) as crawling,
        program(*prometheus, f"--web.listen-address=127.0.0.1:{own}", cwd=folder),
    ):
        said = eventually(f"http://127.0.0.1:{port}/metrics", str, TOKEN)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            read(f"http://127.0.0.1:{port}/metrics")
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=said, capture_output=True, text=True, check=False, timeout=30
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

        query = quote('crawler_pages_total{job="crawls", spider="pages"} == 3')
        asked = f"http://127.0.0.1:{own}/api/v1/query?query={query}"
        (sample,) = eventually(asked, lambda answer: json.loads(answer)["data"]["result"])
        assert sample["metric"]["instance"] == f"127.0.0.1:{port}"
        groups = json.loads(read(f"http://127.0.0.1:{own}/api/v1/rules"))["data"]["groups"]
        assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
        site.hold.set()
        assert crawling.wait(30) == 0
