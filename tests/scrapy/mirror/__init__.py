"""Scrapy's own unit tests, run behind the door: what do its users' habits, as its authors test them, meet here?

The tests are those of Scrapy's source distribution, which is downloaded when they are first run and never kept in the
repository. ``modules.txt`` says which of its modules are run, ``left_out.txt`` which tests are not, each with a reason.
``python -m tests.scrapy.mirror`` prints the counts.
"""
