from scrapy import cmdline

cmdline.execute("scrapy crawl first -a word=command -o more.csv -s LOG_LEVEL=ERROR".split())
