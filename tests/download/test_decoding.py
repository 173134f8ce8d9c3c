from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
import zstandard

from crawler.download.coding.decoding import Decoder, codings
from crawler.errors import BodyTooLarge, DecodingError

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "scrapy-sample-data" / "compressed"
TEXT = b"The shop sells books, the books hold words. " * 400 + random.Random(1).randbytes(3000)


def raw_deflate(data: bytes) -> bytes:
    compress = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compress.compress(data) + compress.flush()


def zstd_stream(data: bytes) -> bytes:
    compress = zstandard.ZstdCompressor().compressobj()
    return compress.compress(data) + compress.flush()


ENCODE: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"x-gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"br": lambda data: bytes(brotli.compress(data, quality=4)),
    b"zstd": zstd_stream,
}


def decode(names: list[bytes], data: bytes, limit: int = 0, step: int = 0) -> bytes:
    decoder = Decoder(names, limit)
    chunks = [data[i : i + step] for i in range(0, len(data), step)] if step else [data]
    return b"".join([decoder.feed(chunk) for chunk in chunks]) + decoder.finish()


@pytest.mark.parametrize("step", [0, 1, 7, 1000])
@pytest.mark.parametrize("name", ENCODE)
def test_each_coding_however_it_is_cut(name: bytes, step: int) -> None:
    assert decode([name], ENCODE[name](TEXT), len(TEXT), step) == TEXT
    assert decode([name], ENCODE[name](b""), 10, step) == b""


@pytest.mark.parametrize("step", [0, 1])
def test_bare_deflate(step: int) -> None:
    assert decode([b"deflate"], raw_deflate(TEXT), 0, step) == TEXT


@pytest.mark.parametrize("inner", ENCODE)
@pytest.mark.parametrize("outer", ENCODE)
def test_stacked(inner: bytes, outer: bytes) -> None:
    assert decode([inner, outer], ENCODE[outer](ENCODE[inner](TEXT)), 0, 100) == TEXT


@pytest.mark.parametrize("step", [0, 1, 9])
def test_several_members_and_frames(step: int) -> None:
    assert decode([b"gzip"], gzip.compress(b"one ") + gzip.compress(b"two"), 0, step) == b"one two"
    assert decode([b"zstd"], zstd_stream(b"one ") + zstd_stream(b"two"), 0, step) == b"one two"


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("junk", [b"\0" * 40, b"<!-- served by cache -->", b"\x1f"])
def test_what_follows_gzip_is_ignored(junk: bytes, step: int) -> None:
    assert decode([b"gzip"], gzip.compress(TEXT) + junk, 0, step) == TEXT


def test_gzip_header_with_everything() -> None:
    plain = gzip.compress(TEXT, mtime=0)
    head = plain[:3] + bytes([0x1E]) + plain[4:10] + b"\x03\x00abc" + b"name\0" + b"comment\0" + b"\0\0"
    for step in (0, 1):
        assert decode([b"gzip"], head + plain[10:], 0, step) == TEXT


def test_a_missing_or_wrong_gzip_trailer_does_not_lose_the_page() -> None:
    assert decode([b"gzip"], gzip.compress(TEXT)[:-8]) == TEXT
    assert decode([b"gzip"], gzip.compress(TEXT)[:-8] + b"12345678") == TEXT


@pytest.mark.parametrize("name", ENCODE)
def test_truncated(name: bytes) -> None:
    data = ENCODE[name](TEXT)[:-200]
    with pytest.raises(DecodingError, match="ends early"):
        decode([name], data)
    decoder = Decoder([name], 0, lenient=True)
    body = decoder.feed(data) + decoder.finish()
    assert decoder.truncated
    assert TEXT.startswith(body)


@pytest.mark.parametrize("name", ENCODE)
def test_garbage(name: bytes) -> None:
    with pytest.raises(DecodingError):
        decode([name], b"<html>this was never compressed</html>" * 3)


@pytest.mark.parametrize("name", ENCODE)
def test_a_body_without_a_byte_is_complete(name: bytes) -> None:
    assert decode([name], b"") == b""


def test_unknown_codings_stay() -> None:
    decoder = Decoder([b"utf-8", b"gzip"], 0)
    assert decoder.left == [b"utf-8"]
    assert decoder.feed(gzip.compress(b"x")) + decoder.finish() == b"x"
    assert Decoder([b"gzip", b"mystery"], 0).left == [b"gzip", b"mystery"]


def test_too_many_codings() -> None:
    with pytest.raises(DecodingError, match="more than 5"):
        Decoder([b"gzip"] * 6, 0)


def test_codings_of_headers() -> None:
    assert codings([b"GZIP, br", b" identity ,,deflate"]) == [b"gzip", b"br", b"deflate"]


def bomb(name: bytes) -> bytes:
    return ENCODE[name](bytes(30_000_000))


@pytest.mark.parametrize(
    "names", [[b"gzip"], [b"deflate"], [b"br"], [b"zstd"], [b"gzip", b"gzip"], [b"zstd", b"br"], [b"br", b"zstd"]]
)
@pytest.mark.parametrize("step", [0, 1000])
def test_bombs_are_stopped_while_decoding(names: list[bytes], step: int) -> None:
    data = bytes(30_000_000)
    for name in names:
        data = ENCODE[name](data)
    limit = 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge, match="1000000 bytes"):
            decode(names, data, limit, step)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * limit + 2_500_000


def test_empty_members_without_end_are_counted_between_codings() -> None:
    hollow = gzip.compress(gzip.compress(b"") * 100_000)
    with pytest.raises(BodyTooLarge):
        decode([b"gzip", b"gzip"], hollow, 1_000_000)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip", "zstd"])
def test_sample_bombs(coding: str) -> None:
    path = SAMPLES / f"bomb-{coding}.bin"
    if not path.exists():
        pytest.skip(f"no ../shared/data/scrapy-sample-data ({path.name})")
    assert len(decode([coding.encode()], path.read_bytes(), 11_511_612)) == 11_511_612
    with pytest.raises(BodyTooLarge):
        decode([coding.encode()], path.read_bytes(), 11_511_611)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("html-br", "br"),
        ("html-gzip", "gzip"),
        ("html-gzip-deflate", "gzip,deflate"),
        ("html-gzip-deflate-gzip", "gzip,deflate,gzip"),
        ("html-rawdeflate", "deflate"),
        ("html-zlibdeflate", "deflate"),
        ("html-zstd-static-content-size", "zstd"),
        ("html-zstd-static-no-content-size", "zstd"),
        ("html-zstd-streaming-no-content-size", "zstd"),
    ],
)
def test_sample_pages(name: str, names: str) -> None:
    path = SAMPLES / f"{name}.bin"
    if not path.exists():
        pytest.skip(f"no ../shared/data/scrapy-sample-data ({path.name})")
    for step in (0, 3):
        assert b"</html>" in decode(codings([names.encode()]), path.read_bytes(), 0, step)
