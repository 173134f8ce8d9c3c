import asyncio

from scrapy.crawler import AsyncCrawlerProcess, AsyncCrawlerRunner  # noqa: F401
from scrapy.utils.project import get_project_settings

process = AsyncCrawlerProcess(get_project_settings())
task = process.crawl("first", word="async")
process.start()
with open("again.txt", "w") as file:
    file.write(f"{asyncio.isfuture(task) or task.done()}\n")
