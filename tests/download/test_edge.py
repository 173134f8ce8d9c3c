from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from crawler.assembly.world import real_world
from crawler.config.schema import CoreSettings
from crawler.download.edge import Edge
from tests.download.chaos import Chaos, answer, steps
from tests.download.reactor import reactor, run

pytestmark = pytest.mark.process

HEAVY = ["treq", "twisted.web.client", "h2", "warcio", "twisted.protocols.ftp", "twisted.names"]


def test_heavy_modules_are_imported_when_they_are_used() -> None:
    code = f"import sys, crawler.download.edge; print(sorted(set({HEAVY}) & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"


def test_side_calls_are_treqs() -> None:
    server = Chaos({"/": steps(answer(b"page"))})

    def make(component: Any) -> Any:
        return component

    edge = Edge(CoreSettings(HTTPPROXY_ENABLED=False), real_world(reactor), make=make)
    try:
        assert edge.http is not None
        response = run(edge.http.get(server.url("/")))
        assert run(response.content()) == b"page"
        assert edge.http.get == edge.http.get
    finally:
        run(edge.close())
        server.close()
