"""Is an image stored as a JPEG with its thumbnails, and is one that is none, or a danger, named on its item?"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crawler import Images
from tests.engine.virtual import ROOT
from tests.files.support import only, picture, run, stored

DIGEST = sha1(b"http://a.test/cover").hexdigest()
FULL = f"full/{DIGEST}.jpg"
ITEM = {"image_urls": [f"{ROOT}cover"], "n": 1}


def fetch(store: Path, body: Any, **settings: Any) -> Any:
    """Return what the item says of an image with this body."""
    return only(run(store, {"cover": body}, ITEM, stage=Images, **settings), "images")


def opened(file: Path) -> Image.Image:
    with Image.open(file) as image:
        image.load()
        return image


def colour(image: Image.Image) -> tuple[int, ...]:
    pixel = image.getpixel((1, 1))
    assert isinstance(pixel, tuple)
    return tuple(round(value, -1) for value in pixel)


def test_a_jpeg_is_stored_as_it_is(tmp_path: Path) -> None:
    found = fetch(tmp_path, body := picture())
    assert (found["path"], found["status"]) == (FULL, "downloaded")
    assert (tmp_path / FULL).read_bytes() == body
    assert stored(tmp_path) == {FULL}


@pytest.mark.parametrize(
    ("mode", "kind", "given", "becomes"),
    [
        ("RGBA", "PNG", (255, 0, 0, 0), (260, 260, 260)),
        ("RGBA", "WEBP", (0, 0, 0, 0), (260, 260, 260)),
        ("RGBA", "PNG", (0, 0, 0, 255), (0, 0, 0)),
        ("LA", "PNG", (0, 0), (260, 260, 260)),
        ("RGB", "PNG", (0, 0, 250), (0, 0, 250)),
        ("L", "PNG", 100, (100, 100, 100)),
        ("L", "JPEG", 100, (100, 100, 100)),
        ("1", "PNG", 1, (260, 260, 260)),
        ("P", "GIF", 0, (0, 0, 0)),
        ("CMYK", "JPEG", (0, 0, 0, 0), (260, 260, 260)),
        ("RGB", "BMP", (0, 250, 0), (0, 250, 0)),
        ("RGB", "TIFF", (0, 250, 0), (0, 250, 0)),
    ],
)
def test_what_is_stored_is_a_jpeg_in_rgb_on_white(
    tmp_path: Path, mode: str, kind: str, given: Any, becomes: tuple[int, ...]
) -> None:
    assert fetch(tmp_path, picture(mode, kind=kind, colour=given))["path"] == FULL
    image = opened(tmp_path / FULL)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 30))
    assert all(abs(got - meant) <= 10 for got, meant in zip(colour(image), becomes, strict=True))


def test_a_photograph_that_lies_on_its_side_is_turned(tmp_path: Path) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(file, "JPEG", exif=exif)
    fetch(tmp_path, file.getvalue())
    assert opened(tmp_path / FULL).size == (30, 40)


def test_thumbnails_are_stored_beside_it(tmp_path: Path) -> None:
    thumbs = {"small": (10, 10), "wide": (20, 100)}
    fetch(tmp_path, picture("RGBA", (400, 200), "PNG", "red"), IMAGES_THUMBS=thumbs)
    names = {name: f"thumbs/{name}/{DIGEST}.jpg" for name in thumbs}
    assert stored(tmp_path) == {FULL, *names.values()}
    assert {name: opened(tmp_path / path).size for name, path in names.items()} == {"small": (10, 5), "wide": (20, 10)}


def test_a_thumbnail_that_is_wanted_later_is_made_then(tmp_path: Path) -> None:
    fetch(tmp_path, picture())
    assert fetch(tmp_path, picture(), IMAGES_THUMBS={"small": (10, 10)})["status"] == "downloaded"
    assert fetch(tmp_path, picture(), IMAGES_THUMBS={"small": (10, 10)})["status"] == "uptodate"


def test_small_images_are_filtered(tmp_path: Path) -> None:
    found = fetch(tmp_path, picture(size=(40, 30)), IMAGES_MIN_WIDTH=50, IMAGES_MIN_HEIGHT=10)
    assert found["status"] == "failed"
    assert found["reason"] == "40 x 30 pixels, less than 50 x 10 (IMAGES_MIN_WIDTH, IMAGES_MIN_HEIGHT)"
    assert fetch(tmp_path, picture(size=(50, 30)), IMAGES_MIN_WIDTH=50, IMAGES_MIN_HEIGHT=10)["path"] == FULL


def png_of(width: int, height: int) -> bytes:
    """Return the head of a PNG that claims to be so large, and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pieces = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in pieces
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html><title>Sorry</title>", "no image that can be read, but HTML"),
        (b'{"error": "no such image"}', "no image that can be read, but JSON"),
        (b"GIF89a", "no image that can be read"),
        (b"\x00\x01\x02", "no image that can be read"),
        (b"", "the body is empty"),
        (picture(size=(400, 300))[:-400], "the image is broken: OSError: image file is truncated"),
        (picture("RGBA", (400, 300), "PNG", "red")[:-300], "the image is broken"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no image that can be read"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no image that can be read, but SVG"),
        (png_of(60_000, 60_000), "(IMAGES_MAX_PIXELS)"),
        (png_of(10_000, 9_500), "(IMAGES_MAX_PIXELS)"),
        (404, "HTTP 404"),
    ],
)
def test_what_is_no_whole_image_is_named_on_the_item(tmp_path: Path, body: Any, reason: str) -> None:
    result = run(tmp_path, {"cover": body}, ITEM, stage=Images, IMAGES_THUMBS={"small": (10, 10)})
    assert result.items[0]["n"] == 1
    found = only(result, "images")
    assert (found["url"], found["path"], found["status"]) == (f"{ROOT}cover", None, "failed")
    assert reason in found["reason"]
    assert not stored(tmp_path)
    assert result.summary.stats["image_status_count/failed"] == 1


def test_the_limit_of_pixels_is_set(tmp_path: Path) -> None:
    found = fetch(tmp_path, picture(size=(100, 100)), IMAGES_MAX_PIXELS=9_999)
    assert found["reason"] == "100 x 100 pixels, more than IMAGES_MAX_PIXELS (9,999)"
    assert fetch(tmp_path, picture(size=(100, 100)), IMAGES_MAX_PIXELS=10_000)["path"] == FULL


def test_a_bomb_is_told_by_its_head_before_it_takes_memory(tmp_path: Path) -> None:
    """Of 12,000 x 12,000 pixels, that is 432 MB decoded, from 140 kB."""
    import tracemalloc

    bomb = zlib.compress(b"\0" * (12_000 * 3 + 1) * 300)
    body = png_of(12_000, 12_000).replace(zlib.compress(b"\0" * 1000), bomb)
    tracemalloc.start()
    try:
        assert fetch(tmp_path, body)["status"] == "failed"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_the_name_that_a_server_offers_ends_as_what_it_is(tmp_path: Path) -> None:
    from crawler import Response

    answer = Response(f"{ROOT}cover", 200, {"Content-Disposition": 'inline; filename="front.png"'}, picture())
    found = fetch(tmp_path, answer, IMAGES_NAME="offered", IMAGES_THUMBS={"s": (9, 9)})
    assert found["path"] == f"full/{DIGEST}/front.jpg"
    assert stored(tmp_path) == {f"full/{DIGEST}/front.jpg", f"thumbs/s/{DIGEST}/front.jpg"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"IMAGES_THUMBS": {"../x": (1, 1)}}, "IMAGES_THUMBS"),
        ({"IMAGES_THUMBS": {"small": (0, 5)}}, "IMAGES_THUMBS"),
        ({"IMAGES_THUMBS": {"small": 5}}, "IMAGES_THUMBS"),
        ({"IMAGES_MIN_WIDTH": -1}, "IMAGES_MIN_WIDTH"),
        ({"IMAGES_EXPIRES": "soon"}, "IMAGES_EXPIRES"),
    ],
)
def test_settings_that_cannot_be_are_told_before_the_start(tmp_path: Path, settings: Any, said: str) -> None:
    with pytest.raises(Exception, match=said):
        fetch(tmp_path, picture(), **settings)


def test_without_pillow_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "crawler.files.pictures", raising=False)
    with pytest.raises(ModuleNotFoundError) as raised:
        fetch(tmp_path, picture())
    assert raised.value.name == "PIL"
