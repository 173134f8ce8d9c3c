"""The sample bookshop is the site of several_in_order.md; it is crawled four times."""

SLOW = True
