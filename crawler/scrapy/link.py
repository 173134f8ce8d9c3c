"""What is a link that was found on a page?"""

from crawler.model.link import Link

__all__ = ["Link"]
