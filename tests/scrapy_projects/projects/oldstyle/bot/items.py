# -*- coding: utf-8 -*-
from scrapy import Field, Item


class BotItem(Item):
    title = Field()
    price = Field()
    link = Field()
    image_urls = Field()
