"""Do the examples of docs/files.md do what they say?"""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

from crawler import Request
from tests.docs.blocks import load
from tests.engine.virtual import ROOT
from tests.files.support import PDF, only, run

PAGE = "docs/files.md"
ITEM = {"file_urls": [f"{ROOT}a.pdf"], "category": "maps"}


def test_a_function_names_files(tmp_path: Path) -> None:
    by_title = load(PAGE, "names.py")["by_title"]
    found = only(run(tmp_path, {"a.pdf": PDF}, ITEM, FILES_NAME=by_title))
    assert found["path"] == f"maps/{sha1(f'{ROOT}a.pdf'.encode()).hexdigest()}.pdf"


def test_a_stage_of_ones_own_sends_a_token_and_keeps_nothing_but_pdfs(tmp_path: Path) -> None:
    papers = load(PAGE, "pipelines/papers.py")["Papers"]

    def site(request: Request) -> bytes:
        return b"a page" if request.url == ROOT or request.headers.get("X-Token") != b"secret" else PDF

    assert only(run(tmp_path, site, ITEM, stage=papers))["status"] == "downloaded"
    assert only(run(tmp_path, lambda _: b"a page", ITEM, stage=papers, FILES_EXPIRES=0))["reason"] == "not a PDF"
