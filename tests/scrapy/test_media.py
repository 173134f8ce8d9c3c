"""Are the files that items name fetched and kept as Scrapy's pipelines do, with what projects override in them?"""

from __future__ import annotations

from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from crawler.model.response import Response
from crawler.scrapy.exceptions import DropItem
from crawler.scrapy.http import Request
from crawler.scrapy.pipelines.files import FilesPipeline
from crawler.scrapy.pipelines.images import ImagesPipeline
from crawler.scrapy.spiders import Spider
from crawler.testing import Result, crawl

ROOT = "http://shop.example/"
PDF = b"%PDF-1.7 of a tea"


def picture(width: int = 20, height: int = 10, mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, (width, height)).save(file, "PNG")
    return file.getvalue()


SITE = {
    ROOT: "<title>Tea</title>",
    f"{ROOT}tea.pdf": PDF,
    f"{ROOT}tea.png": picture(),
    f"{ROOT}small.png": picture(2, 2),
    f"{ROOT}gone.pdf": lambda request: Response(request.url, 404, request=request),
}


class Named(FilesPipeline):
    """Overrides what projects do."""

    def get_media_requests(self, item: Any, info: Any) -> Any:
        return [Request(url, meta={"name": item["name"]}) for url in item["file_urls"]]

    def file_path(self, request: Any, response: Any = None, info: Any = None, *, item: Any = None) -> str:
        return f"{request.meta['name']}/{item['name']}.pdf"

    def item_completed(self, results: Any, item: Any, info: Any) -> Any:
        if not all(good for good, _ in results):
            raise DropItem(f"no file: {results[0][1].value!r}")
        return {**item, "paths": [result["path"] for _, result in results]}


class Shop(Spider):
    name = "shop"
    start_urls = [ROOT]

    def parse(self, response: Any, **kwargs: Any) -> Any:
        yield from self.items

    items: list[Any] = []


def run(pipeline: type, items: list[Any], **settings: Any) -> Result:
    given = {"ITEM_PIPELINES": {pipeline: 1}, "ROBOTSTXT_OBEY": False, **settings}
    return crawl(type("One", (Shop,), {"custom_settings": given, "items": items}), SITE)


def test_an_item_is_told_of_its_files(tmp_path: Path) -> None:
    urls = [f"{ROOT}tea.pdf", f"{ROOT}gone.pdf", f"{ROOT}tea.pdf"]
    result = run(FilesPipeline, [{"file_urls": urls}], FILES_STORE=str(tmp_path))
    [first, second] = result.items[0]["files"]
    assert first == second
    assert (first["url"], first["checksum"], first["status"]) == (urls[0], md5(PDF).hexdigest(), "downloaded")
    assert (tmp_path / first["path"]).read_bytes() == PDF
    assert first["path"].startswith("full/")
    assert first["path"].endswith(".pdf")


def test_a_file_that_is_kept_is_not_fetched_again(tmp_path: Path) -> None:
    items = [{"file_urls": [f"{ROOT}tea.pdf"]}]
    run(FilesPipeline, items, FILES_STORE=str(tmp_path))
    again = run(FilesPipeline, items, FILES_STORE=str(tmp_path))
    assert again.items[0]["files"][0]["status"] == "uptodate"
    assert again.urls == [ROOT]


def test_a_class_of_ones_own_names_files_and_completes_items(tmp_path: Path) -> None:
    items = [{"name": "assam", "file_urls": [f"{ROOT}tea.pdf"]}, {"name": "none", "file_urls": [f"{ROOT}gone.pdf"]}]
    result = run(Named, items, FILES_STORE=str(tmp_path))
    assert [item["paths"] for item in result.items] == [["assam/assam.pdf"]]
    assert result.spider.stats.get_value("item_dropped_count") == 1


def test_images_are_kept_as_jpeg_beside_their_thumbnails(tmp_path: Path) -> None:
    items = [{"image_urls": [f"{ROOT}tea.png", f"{ROOT}small.png", f"{ROOT}tea.pdf"]}]
    options = {"IMAGES_STORE": str(tmp_path), "IMAGES_MIN_WIDTH": 5, "IMAGES_THUMBS": {"tiny": (4, 4)}}
    [kept] = run(ImagesPipeline, items, **options).items[0]["images"]
    assert kept["url"] == f"{ROOT}tea.png"
    with Image.open(tmp_path / kept["path"]) as image:
        assert (image.format, image.size) == ("JPEG", (20, 10))
    thumbnail = tmp_path / kept["path"].replace("full/", "thumbs/tiny/")
    with Image.open(thumbnail) as image:
        assert image.size == (4, 2)


def test_a_picture_that_a_program_would_decode_is_not_opened(tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("RGB", (9, 9)).save(file, "EPS")
    SITE[f"{ROOT}tea.eps"] = file.getvalue()
    result = run(ImagesPipeline, [{"image_urls": [f"{ROOT}tea.eps"]}], IMAGES_STORE=str(tmp_path))
    assert result.items[0]["images"] == []


def test_a_pipeline_without_a_store_is_left_out_with_a_reason() -> None:
    result = run(FilesPipeline, [{"file_urls": [f"{ROOT}tea.pdf"]}])
    assert "files" not in result.items[0]
