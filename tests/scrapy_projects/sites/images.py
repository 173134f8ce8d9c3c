"""What does an album answer: images, some too small, moved, missing or no images, and papers?"""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

from tests.scrapy_projects.sites import Answer, Asked, page, path, redirect

ROWS = {"ada": ["/1.png", "/2.jpg", "/tiny.png"], "bob": ["/missing.png", "/moved.png"], "cyd": ["/text.png"]}


@cache
def _image(kind: str, width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (width, height, 9)).save(file, kind)
    return file.getvalue()


def answer(asked: Asked) -> Answer | int:
    """Answer by the path."""
    png = {"Content-Type": "image/png"}
    match path(asked):
        case "/":
            rows = [
                f"<li><b>{name}</b>{''.join(f'<img src={url}>' for url in urls)}<a href=/{name}.pdf>p</a></li>"
                for name, urls in ROWS.items()
            ]
            return page("Album", *rows)
        case "/1.png":
            return Answer(_image("PNG", 100, 80), 200, png)
        case "/2.jpg":
            return Answer(_image("JPEG", 60, 90), 200, {"Content-Type": "image/jpeg"})
        case "/tiny.png":
            return Answer(_image("PNG", 5, 5), 200, png)
        case "/moved.png":
            return redirect("/1.png")
        case "/text.png":
            return Answer("no image", 200, png)
        case "/ada.pdf" | "/bob.pdf":
            return Answer(b"%PDF " + path(asked).encode(), 200, {"Content-Type": "application/pdf"})
    return 404
