"""How is a JSON document sent, where a project was written for Scrapy?"""

from __future__ import annotations

import json
import warnings
from copy import deepcopy
from typing import Any

from crawler.scrapy.http.request import Request


class JsonRequest(Request):
    """A request with ``data``, any value, as its JSON body by POST unless a method is given (Scrapy's JsonRequest)."""

    __slots__ = ("_dumps_kwargs",)
    attributes: tuple[str, ...] = (*Request.attributes, "dumps_kwargs")

    def __init__(self, *args: Any, dumps_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self._dumps_kwargs = {"sort_keys": True, **deepcopy(dumps_kwargs or {})}
        if self._take(kwargs):
            kwargs.setdefault("method", "POST")
        super().__init__(*args, **kwargs)
        self.headers.setdefault("Content-Type", "application/json")
        self.headers.setdefault("Accept", "application/json, text/javascript, */*; q=0.01")

    @property
    def dumps_kwargs(self) -> dict[str, Any]:
        """What json.dumps is given."""
        return self._dumps_kwargs

    def replace(self, *args: Any, cls: Any = None, **kwargs: Any) -> Any:
        """Return a request with these fields changed; ``data`` is its new body."""
        self._take(kwargs)
        return super().replace(*args, cls=cls, **kwargs)

    def _take(self, kwargs: dict[str, Any]) -> bool:
        """Write ``data`` into the body, unless one is given; tell whether it was."""
        data = kwargs.pop("data", None)
        if data is None:
            return False
        if kwargs.get("body") is not None:
            warnings.warn("both body and data were given to a JsonRequest: data is not sent", stacklevel=3)
            return False
        kwargs["body"] = self._dumps(data)
        return True

    def _dumps(self, data: Any) -> str:
        return json.dumps(data, **self._dumps_kwargs)
