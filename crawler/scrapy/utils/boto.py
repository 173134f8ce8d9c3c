"""Is there what Scrapy speaks with S3 by?"""

from __future__ import annotations

from importlib.util import find_spec


def is_botocore_available() -> bool:
    """Tell whether botocore is installed."""
    return find_spec("botocore") is not None
