from itemloaders.processors import Join, MapCompose, TakeFirst
from scrapy.loader import ItemLoader


class BookLoader(ItemLoader):
    default_output_processor = TakeFirst()
    isbn_in = MapCompose(lambda v: v.replace("-", "") or None)
    isbn_out = Join("+")

    def pages_in(self, values):
        return [int(value) for value in values if value.isdigit()]


class SignedLoader(BookLoader):
    by_out = Join(" & ")
    by_in = MapCompose(BookLoader.isbn_in, str.upper)
