"""Does the recipe docs/cookbook/s3.md do what it says, with a server that speaks S3?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.served import sample, served
from tests.docs.typed import type_page
from tests.remote import servers


@pytest.mark.slow
def test_the_recipe_does_what_it_says(tmp_path: Path) -> None:
    with servers.s3() as s3, served(sample) as url:
        s3.make_bucket("shop-items")
        type_page(
            "docs/cookbook/s3.md",
            tmp_path,
            replaced={"http://minio.example:9000": s3.endpoint, "http://127.0.0.1:8000": url},
            given={name: s3.settings[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
        )
