"""Does docs/tutorial.md work for somebody who types it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.served import sample, served
from tests.docs.typed import type_page


@pytest.mark.slow
def test_the_tutorial_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    with served(sample) as url:
        done = type_page("docs/tutorial.md", tmp_path, replaced={"http://127.0.0.1:8000": url})
    assert len(done) >= 15
