"""Tells the site which process asks."""

import os


class SaysWho:
    """Add ``X-Worker``."""

    def process_request(self, request):
        """Set it anew each time."""
        request.headers["X-Worker"] = str(os.getpid())
