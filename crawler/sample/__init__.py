"""Where can a spider be tried without the internet?

A small bookshop and a page of quotes, made by code and served on loopback: ``python -m crawler.sample``.
The markup is that of the public practice sites books.toscrape.com and quotes.toscrape.com, so that the
spiders of this project run on both; titles, prices and words are our own.
"""
