"""Are items there once and their files whole, each fetched once but for what was in flight, when a crawl is killed?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.gallery import Gallery, crawl_killed

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_a_crawl_of_images_that_is_killed_twice(tmp_path: Path) -> None:
    with Gallery(images=400) as gallery:
        found = crawl_killed(gallery, tmp_path, kills=2)
    assert len(found.kills) == 2
    assert found.good, found
    assert len(found.again) < 100, "what was in flight"
