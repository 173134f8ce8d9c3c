from dataclasses import dataclass, field

import attr
import scrapy
from itemloaders.processors import Compose, Identity, Join, MapCompose, SelectJmes, TakeFirst


def to_price(value):
    return float(value.replace("£", "").replace(",", ""))


def serialize_pages(value):
    return f"{value} pages"


class Book(scrapy.Item):
    title = scrapy.Field(input_processor=MapCompose(str.strip, str.title), output_processor=TakeFirst())
    price = scrapy.Field(input_processor=MapCompose(str.strip, to_price), output_processor=TakeFirst())
    authors = scrapy.Field(output_processor=Identity())
    tags = scrapy.Field(input_processor=Compose(set, sorted), output_processor=Join(", "))
    pages = scrapy.Field(serializer=serialize_pages, output_processor=TakeFirst())
    isbn = scrapy.Field()
    color = scrapy.Field(input_processor=SelectJmes("color"), output_processor=TakeFirst())
    url = scrapy.Field(output_processor=TakeFirst())


class Signed(Book):
    """A field more, and one with other meta data."""

    by = scrapy.Field()
    authors = scrapy.Field(Book.fields["authors"], serializer=str)


@dataclass
class Author:
    name: str | None = field(default=None)
    born: int | None = field(default=None)


@attr.s
class Shelf:
    number = attr.ib(default=None)
    books = attr.ib(factory=list)


class Never(scrapy.Item):
    pass
