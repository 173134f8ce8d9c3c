"""Six books: two are gone for a while, and one for good. Whoever asks for /mended mends what can be mended."""

from __future__ import annotations

from tests.docs.served import Asked

BOOKS = ("atlas", "clock", "garden", "harbour", "lantern", "orchard")
_busy = {"clock", "lantern"}


def answer(asked: Asked) -> str | int:
    name = asked.path[1:]
    if name == "mended":
        _busy.clear()
        return "mended"
    if not name:
        return "".join(f'<a href="/{book}">{book}</a>' for book in (*BOOKS, "gone"))
    if name in _busy:
        return 503
    return f"<h1>{name}</h1>" if name in BOOKS else 404
