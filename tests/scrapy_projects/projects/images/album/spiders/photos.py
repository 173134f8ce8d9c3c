import scrapy


class Photo(scrapy.Item):
    name = scrapy.Field()
    image_urls = scrapy.Field()
    images = scrapy.Field()
    pictures = scrapy.Field()
    saved = scrapy.Field()
    image_paths = scrapy.Field()
    failed_images = scrapy.Field()
    papers = scrapy.Field()
    paper_files = scrapy.Field()


class PhotosSpider(scrapy.Spider):
    name = "photos"
    start_urls = ["http://album.example/"]

    def parse(self, response):
        for row in response.css("li"):
            urls = [response.urljoin(url) for url in row.css("img::attr(src)").getall()]
            yield Photo(name=row.css("b::text").get(), image_urls=urls, pictures=[url + "?own" for url in urls[:2]],
                        papers=[response.urljoin(url) for url in row.css("a::attr(href)").getall()])
