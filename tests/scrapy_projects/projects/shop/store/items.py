import scrapy


class Product(scrapy.Item):
    # define the fields for your item here like:
    name = scrapy.Field()
    price = scrapy.Field()
    url = scrapy.Field()
    category = scrapy.Field()
    related = scrapy.Field()
    link_text = scrapy.Field()
    depth = scrapy.Field()
