"""The bookshop of docs/cookbook/files_and_images.md: covers, one of which is none, and a leaflet."""

from __future__ import annotations

import io

from PIL import Image

from tests.docs.served import Answer, Asked

BOOKS = """<!DOCTYPE html><title>Books</title><ul>
<li><b>Dune</b><img src="/covers/dune.png"><a href="/leaflet?book=1">Leaflet</a>
<li><b>Emma</b><img src="/covers/emma.jpg">
<li><b>Ulysses</b><img src="/covers/gone.jpg"></ul>"""
LEAFLET = {"Content-Disposition": 'attachment; filename="Table of contents.pdf"', "Content-Type": "application/pdf"}


def answer(asked: Asked) -> Answer | str | bytes | int:
    if asked.path == "/books":
        return BOOKS
    if asked.path.startswith("/leaflet"):
        return Answer(b"%PDF-1.4", headers=LEAFLET)
    if asked.path == "/covers/gone.jpg":
        return "<!DOCTYPE html><title>Sorry</title><p>This cover was not found."
    if asked.path.startswith("/covers/"):
        file = io.BytesIO()
        Image.new("RGB", (60, 90), "navy").save(file, "PNG" if asked.path.endswith("png") else "JPEG")
        return Answer(file.getvalue(), headers={"Content-Type": "image/png"})
    return 404
