"""Three books; when the list is asked for again, one has another price, one is gone and one is new."""

from __future__ import annotations

import zlib

from tests.docs.served import Answer, Asked

_asked: list[str] = []


def answer(asked: Asked) -> Answer | str | int:
    if asked.path == "/":
        _asked.append(asked.path)
    later = len(_asked) > 1
    prices = {1: 5, 2: 9, 4: 7} if later else {1: 5, 2: 8, 3: 6}
    if asked.path == "/":
        return kept("".join(f'<a href="/book/{number}">book</a>' for number in prices), asked)
    number = asked.path.rpartition("/")[2]
    if not (number.isdigit() and int(number) in prices):
        return 404
    return kept(f"<b>{prices[int(number)]}</b>", asked)


def kept(page: str, asked: Asked) -> Answer:
    """A page with an ETag, or that it has not changed."""
    etag = f'"{zlib.crc32(page.encode()):x}"'
    if asked.headers.get("If-None-Match") == etag:
        return Answer("", 304, {"ETag": etag})
    return Answer(page, headers={"ETag": etag})
