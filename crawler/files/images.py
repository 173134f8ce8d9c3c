"""What does the stage for images do beside fetching them?"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

from msgspec import Meta

from crawler.errors import SettingError
from crawler.files.naming import BadName, checked_path
from crawler.files.options import Options
from crawler.files.stage import FetchingStage
from crawler.files.stores import Kept
from crawler.model.response import Response
from crawler.spider import Crawler

Pixels = Annotated[int, Meta(ge=0, le=2**31)]
Side = Annotated[int, Meta(ge=1, le=65_500)]  # what a JPEG may have (T.81, table B.2), but for libjpeg's limit

LARGE = 16_000_000
"""Images of more pixels are decoded one at a time: decoded they take four bytes a pixel, and as much while turned."""


def _said(description: str) -> Meta:
    return Meta(description=description)


class Images(FetchingStage):
    """Fetches the images that an item names in ``image_urls``, and says in ``images`` where they are.

    Each is stored as a JPEG in RGB, beside its thumbnails. The settings are those of Scrapy's ImagesPipeline; the limit
    of pixels is against decompression bombs, and looked at before anything is decoded.
    """

    IMAGES_STORE: Annotated[str, _said("Folder or URL that images are kept in")]
    IMAGES_STORE_OPTIONS: Annotated[dict[str, Any], _said("fsspec's options for that URL")] = {}
    IMAGES_STORE_S3_ACL: Annotated[str, _said("Access to what is put into S3")] = "private"
    IMAGES_URLS_FIELD: Annotated[str, _said("Field of an item that names images")] = "image_urls"
    IMAGES_RESULT_FIELD: Annotated[str, _said("Field of an item that says what became of them")] = "images"
    IMAGES_EXPIRES: Annotated[float, Meta(ge=0, le=1e6), _said("Days after which an image is fetched again")] = 90.0
    IMAGES_NAME: Annotated[Any, _said('"hash" of the URL, "offered" by the server, or (request, item) -> str')] = "hash"
    IMAGES_THUMBS: Annotated[dict[str, tuple[Side, Side]], _said("Name and largest size of each thumbnail")] = {}
    IMAGES_MIN_WIDTH: Annotated[Pixels, _said("Images narrower than that are not kept")] = 0
    IMAGES_MIN_HEIGHT: Annotated[Pixels, _said("Images lower than that are not kept")] = 0
    IMAGES_MAX_PIXELS: Annotated[Pixels, _said("Images of more pixels are not decoded; Pillow's own limit")] = (
        89_478_485
    )
    MEDIA_ALLOW_REDIRECTS: Annotated[bool, _said("Follow redirects of files and images")] = False
    threads = min(4, os.cpu_count() or 1)
    word = "image"

    def bind(self, crawler: Crawler) -> None:
        """Tie the stage to its crawl. Raises SettingError, and ModuleNotFoundError where Pillow is not installed."""
        from crawler.files import pictures

        self._pictures = pictures
        for name in self.IMAGES_THUMBS:
            try:
                checked_path(name)
            except BadName as error:
                raise SettingError(f"IMAGES_THUMBS: {error}") from error
        super().bind(crawler)
        pictures.allow(self.IMAGES_MAX_PIXELS)
        self._large = Lock()

    def read_settings(self) -> Options:
        """Return what the IMAGES_ settings say."""
        return Options.of("IMAGES", vars(self))

    def suffix(self, url: str) -> str:
        """Return what all are stored as."""
        return ".jpg"

    def offered(self, response: Response) -> str:
        """Return the name that the server gives, as that of a JPEG."""
        return Path(super().offered(response)).stem + ".jpg"

    def thumb_path(self, path: str, name: str) -> str:
        """Return where the thumbnail of this name belongs, of an image at ``path``."""
        return f"thumbs/{name}/{path.removeprefix('full/')}"

    def find(self, path: str) -> Kept | None:
        """Return what the store has, if its thumbnails are there, too."""
        kept = self.store.find(path)
        if kept and all(self.store.find(self.thumb_path(kept.path, name)) for name in self.IMAGES_THUMBS):
            return kept
        return None

    def save(self, body: Path, path: str) -> str:
        """Convert a body that came in and keep it, its thumbnails first: where the image is they are, too."""
        pictures, least = self._pictures, (self.IMAGES_MIN_WIDTH, self.IMAGES_MIN_HEIGHT)
        made = body.with_name(f"{body.name}.jpg")
        try:
            with (
                pictures.opened(body, most_pixels=self.IMAGES_MAX_PIXELS) as image,
                self._large if image.width * image.height > LARGE else nullcontext(),
            ):
                picture, as_it_is = pictures.decoded(image, least=least)
                for name, size in self.IMAGES_THUMBS.items():
                    pictures.write_jpeg(pictures.thumbnail(picture, size), made)
                    self.store.keep(made, self.thumb_path(path, name))
                if not as_it_is:
                    pictures.write_jpeg(picture, made)
            if as_it_is:
                return super().save(body, path)
            checksum = super().save(made, path)
            body.unlink()
            return checksum
        finally:
            made.unlink(missing_ok=True)
