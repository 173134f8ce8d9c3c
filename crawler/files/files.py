"""What does the stage for files of any kind say of itself?"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from crawler.files.options import Options
from crawler.files.stage import FetchingStage


def _said(description: str) -> Meta:
    return Meta(description=description)


class Files(FetchingStage):
    """Fetches the files that an item names in ``file_urls``, and says in ``files`` where they are.

    The settings are those of Scrapy's FilesPipeline (docs.scrapy.org, "Downloading and processing files and images").
    """

    FILES_STORE: Annotated[str, _said("Folder or URL that files are kept in")]
    FILES_STORE_OPTIONS: Annotated[dict[str, Any], _said("fsspec's options for that URL")] = {}
    FILES_STORE_S3_ACL: Annotated[str, _said("Access to what is put into S3")] = "private"
    FILES_URLS_FIELD: Annotated[str, _said("Field of an item that names files")] = "file_urls"
    FILES_RESULT_FIELD: Annotated[str, _said("Field of an item that says what became of them")] = "files"
    FILES_EXPIRES: Annotated[float, Meta(ge=0, le=1e6), _said("Days after which a file is fetched again")] = 90.0
    FILES_NAME: Annotated[Any, _said('"hash" of the URL, "offered" by the server, or (request, item) -> str')] = "hash"
    MEDIA_ALLOW_REDIRECTS: Annotated[bool, _said("Follow redirects of files and images")] = False

    def read_settings(self) -> Options:
        """Return what the FILES_ settings say."""
        return Options.of("FILES", vars(self))
