"""What is a SPIDER_LOADER_CLASS called where it is declared?"""

from __future__ import annotations

from zope.interface import Interface


class ISpiderLoader(Interface):  # type: ignore[misc]  # zope has no types
    """A class that has from_settings(), load(), list() and find_by_request()."""
