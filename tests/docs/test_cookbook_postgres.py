"""Does docs/cookbook/postgres.md do what it says, on a server of its own?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.served import sample, served
from tests.docs.typed import type_page
from tests.servers.postgres import postgres
from tests.servers.process import program


@pytest.mark.process
def test_the_recipe_does_what_it_says(tmp_path: Path) -> None:
    program("psql")
    with served(sample) as url, postgres() as server:
        server.run("postgres", "CREATE ROLE shop LOGIN")
        server.run("postgres", "CREATE DATABASE shop OWNER shop")
        replaced = {"http://127.0.0.1:8000": url, "shop@db.example": f"shop@127.0.0.1:{server.port}"}
        type_page("docs/cookbook/postgres.md", tmp_path, replaced=replaced)
