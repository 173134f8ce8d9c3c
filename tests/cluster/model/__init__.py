"""A model of a crawl that workers share, over the real function library and a real server, in virtual time.

Worlds are random, by a seed. After every call the rules are looked at; chaos stops at some step, and then the crawl has
to end. ``python -m tests.cluster.model --worlds 2000`` tries many.
"""
