from os.path import basename
from urllib.parse import urlparse

import scrapy
from itemadapter import ItemAdapter
from scrapy.exceptions import DropItem
from scrapy.pipelines.files import FileException, FilesPipeline  # noqa: F401
from scrapy.pipelines.images import ImageException, ImagesPipeline  # noqa: F401
from scrapy.pipelines.media import MediaPipeline  # noqa: F401


class OwnImagesPipeline(ImagesPipeline):
    def get_media_requests(self, item, info):
        adapter = ItemAdapter(item)
        for number, url in enumerate(adapter.get("pictures", [])):
            yield scrapy.Request(url, meta={"number": number}, headers={"X-Own": adapter["name"]})

    def file_path(self, request, response=None, info=None, *, item=None):
        return f"{item['name']}/{request.meta['number']}.jpg"

    def thumb_path(self, request, thumb_id, response=None, info=None, *, item=None):
        return f"{item['name']}/{thumb_id}-{request.meta['number']}.jpg"

    def item_completed(self, results, item, info):
        paths = [x["path"] for ok, x in results if ok]
        if item.get("pictures") and not paths:
            raise DropItem("Item contains no images")
        item["image_paths"] = paths
        item["failed_images"] = [type(x.value).__name__ for ok, x in results if not ok]
        return item


class PapersPipeline(FilesPipeline):
    def file_path(self, request, response=None, info=None, *, item=None):
        return "files/" + basename(urlparse(request.url).path)
