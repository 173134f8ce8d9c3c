"""Which requests and items are in their stored form already, before the commit that writes them?"""

from __future__ import annotations

from crawler.model.request import Request
from crawler.storage.codec import Codec
from crawler.storage.shapes import ItemObject

FORMS_KEPT = 20_000
"""Stored forms of requests that were made to see whether there is one, and that wait for their commit."""


class StoredForms:
    """Makes stored forms with a codec, and keeps those that were made ahead until they are asked for."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._requests: dict[Request, bytes] = {}
        self._items: dict[int, bytes] = {}

    def keep_request(self, request: Request) -> None:
        """Make the form of a request ahead; raises whatever a foreign object in it does."""
        if len(self._requests) >= FORMS_KEPT:
            self._requests.clear()
        self._requests[request] = self._codec.encode_request(request)

    def keep_item(self, item: ItemObject) -> None:
        """Make the form of an item ahead; raises whatever that raises. The caller keeps the object until its commit."""
        self._items[id(item)] = self._codec.encode_item(item)

    def of_request(self, request: Request) -> bytes:
        """Return the stored form of a request; raises CannotStore."""
        form = self._requests.pop(request, None)
        return self._codec.encode_request(request) if form is None else form

    def of_item(self, item: ItemObject) -> bytes:
        """Return the stored form of an item; raises CannotStore."""
        form = self._items.pop(id(item), None)
        return self._codec.encode_item(item) if form is None else form
