import hashlib
from urllib.parse import urlsplit

from scrapy.dupefilters import RFPDupeFilter


class PathDupeFilter(RFPDupeFilter):
    """A page is one by its path."""

    def request_fingerprint(self, request):
        return hashlib.sha1(urlsplit(request.url).path.encode()).hexdigest()
