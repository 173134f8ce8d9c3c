"""What may be done to a crawl while it runs, as values and as words?"""
