"""Which images does an item name, and as what are they kept? (docs.scrapy.org, "Downloading and processing images")"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, ClassVar

from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.pipelines.files import FileException, FilesPipeline, _guid, _md5sum
from crawler.scrapy.utils.defer import ensure_awaitable


class ImageException(FileException):
    """An image is none, or too small."""


class ImagesPipeline(FilesPipeline):
    """Fetches the images that an item names in ``image_urls``, and says in ``images`` where they are, as JPEG.

    What is no image of the formats of crawler.files.pictures, or has too many pixels, is not opened.
    """

    MEDIA_NAME = "image"
    MIN_WIDTH: int = 0
    MIN_HEIGHT: int = 0
    THUMBS: ClassVar[dict[str, tuple[int, int]]] = {}
    DEFAULT_IMAGES_URLS_FIELD = "image_urls"
    DEFAULT_IMAGES_RESULT_FIELD = "images"
    _prefix = "IMAGES"

    def __init__(self, store_uri: Any, download_func: None = None, *, crawler: Any) -> None:
        try:
            from PIL import Image, ImageOps

            from crawler.files import pictures
        except ImportError as error:
            raise NotConfigured("ImagesPipeline requires installing Pillow 8.3.2 or later") from error
        self._image, self._operations, self._formats = Image, ImageOps, pictures.FORMATS
        pictures.allow(0)
        super().__init__(store_uri, crawler=crawler)
        self._read_settings("IMAGES", "ImagesPipeline")
        settings = crawler.settings

        def named(name: str) -> str:
            return self._key_for_pipe(f"IMAGES_{name}", "ImagesPipeline", settings)

        self.min_width: int = settings.getint(named("MIN_WIDTH"), self.MIN_WIDTH)
        self.min_height: int = settings.getint(named("MIN_HEIGHT"), self.MIN_HEIGHT)
        self.thumbs: dict[str, tuple[int, int]] = settings.get(named("THUMBS"), self.THUMBS)

    async def file_downloaded(self, response: Any, request: Any, info: Any, *, item: Any = None) -> str:
        """Keep an image; return the MD5 of it."""
        return await self.image_downloaded(response, request, info, item=item)

    async def image_downloaded(self, response: Any, request: Any, info: Any, *, item: Any = None) -> str:
        """Keep an image and its thumbnails; return the MD5 of the first of them."""
        checksum = ""
        for path, image, body in self.get_images(response, request, info, item=item):
            body.seek(0)
            checksum = checksum or _md5sum(body)
            meta = dict(zip(("width", "height"), image.size, strict=True))
            headers = {"Content-Type": "image/jpeg"}
            await ensure_awaitable(self.store.persist_file(path, body, info, meta=meta, headers=headers))
        return checksum

    def get_images(
        self, response: Any, request: Any, info: Any, *, item: Any = None
    ) -> Iterator[tuple[str, Any, BytesIO]]:
        """Yield path, image and bytes of what is kept. Raises ImageException, and what Pillow raises."""
        path = self.file_path(request, response=response, info=info, item=item)
        opened = self._image.open(BytesIO(response.body), formats=self._formats)
        upright = self._operations.exif_transpose(opened)
        width, height = upright.size
        if width < self.min_width or height < self.min_height:
            raise ImageException(f"Image too small ({width}x{height} < {self.min_width}x{self.min_height})")
        image, body = self.convert_image(upright, response_body=BytesIO(response.body))
        yield path, image, body
        for name, size in self.thumbs.items():
            thumb_path = self.thumb_path(request, name, response=response, info=info, item=item)
            yield (thumb_path, *self.convert_image(image, size, response_body=body))

    def convert_image(
        self, image: Any, size: tuple[int, int] | None = None, *, response_body: BytesIO
    ) -> tuple[Any, BytesIO]:
        """Return an image in RGB, no larger than ``size``, and its bytes as JPEG: those it had, if it was one."""
        if (image.format in ("PNG", "WEBP") and image.mode == "RGBA") or image.mode == "P":
            image = image.convert("RGBA")
            white = self._image.new("RGBA", image.size, (255, 255, 255))
            white.paste(image, image)
            image = white.convert("RGB")
        elif image.mode != "RGB":
            image = image.convert("RGB")
        if size:
            image = image.copy()
            image.thumbnail(size, self._image.Resampling.LANCZOS)
        elif image.format == "JPEG":
            return image, response_body
        body = BytesIO()
        image.save(body, "JPEG")
        return image, body

    def file_path(self, request: Any, response: Any = None, info: Any = None, *, item: Any = None) -> str:
        """Return where in the store an image belongs: by the SHA-1 of its URL."""
        return f"full/{_guid(request)}.jpg"

    def thumb_path(
        self, request: Any, thumb_id: str, response: Any = None, info: Any = None, *, item: Any = None
    ) -> str:
        """Return where in the store a thumbnail belongs."""
        return f"thumbs/{thumb_id}/{_guid(request)}.jpg"
