BOT_NAME = "album"

SPIDER_MODULES = ["album.spiders"]
NEWSPIDER_MODULE = "album.spiders"

ROBOTSTXT_OBEY = False
ITEM_PIPELINES = {
    "scrapy.pipelines.images.ImagesPipeline": 1,
    "album.pipelines.OwnImagesPipeline": 2,
    "album.pipelines.PapersPipeline": 3,
}
IMAGES_STORE = "store"
IMAGES_THUMBS = {"small": (20, 20), "big": (50, 40)}
IMAGES_MIN_HEIGHT = 10
IMAGES_MIN_WIDTH = 10
IMAGES_EXPIRES = 30
OWNIMAGESPIPELINE_IMAGES_URLS_FIELD = "pictures"
OWNIMAGESPIPELINE_IMAGES_RESULT_FIELD = "saved"
OWNIMAGESPIPELINE_IMAGES_STORE = "own"
FILES_STORE = "papers"
FILES_URLS_FIELD = "papers"
FILES_RESULT_FIELD = "paper_files"
FILES_EXPIRES = 90
MEDIA_ALLOW_REDIRECTS = True
