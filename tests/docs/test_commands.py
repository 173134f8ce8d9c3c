"""Do the commands of docs/commands.md say what the page shows, typed from top to bottom?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.served import sample, served
from tests.docs.typed import type_page


@pytest.mark.process
def test_the_page_is_typed(tmp_path: Path) -> None:
    with served(sample) as url:
        type_page("docs/commands.md", tmp_path, replaced={"http://127.0.0.1:8000": url})
