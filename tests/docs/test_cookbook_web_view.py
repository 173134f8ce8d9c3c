"""Does the recipe of a web view do what it says?"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.docs.served import sample, served
from tests.docs.typed import type_page


@pytest.mark.slow
@pytest.mark.process
def test_the_view_is_typed(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(sample) as url:
        type_page("docs/cookbook/web_view.md", tmp_path, replaced={"http://127.0.0.1:8000": url, "8080": str(port)})
