"""Who is told how a crawl goes, in which words, and by which way?"""
