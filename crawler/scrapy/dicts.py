"""How is a request made again from the dict that ``Request.to_dict`` wrote?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crawler.errors import InvalidRequest
from crawler.model.request import MOVED, Request, request_classes
from crawler.spider import Spider


def request_from_dict(d: dict[str, Any], *, spider: Spider | None = None) -> Request:
    """Return the request (Scrapy's function of that name); callbacks are looked up on ``spider``.

    Its class is one that is imported already: a dict cannot have anything loaded. Raises InvalidRequest.
    """
    fields = dict(d)
    name = fields.pop("_class", None)
    if isinstance(name, str):
        module, _, qualname = name.rpartition(".")
        name = f"{MOVED.get(module, module)}.{qualname}"
    known = {f"{cls.__module__}.{cls.__qualname__}": cls for cls in request_classes()}
    if name is not None and name not in known:
        raise InvalidRequest(f"the request's class {name} is not imported")
    for role in ("callback", "errback"):
        if isinstance(fields.get(role), str):
            fields[role] = _method(spider, fields[role])
    return (known[name] if name is not None else Request)(**fields)


def _method(spider: Spider | None, name: str) -> Callable[..., Any]:
    method: Callable[..., Any] | None = getattr(spider, name, None)
    if method is None or not callable(method):
        raise InvalidRequest(f"the request goes to the method {name!r}, which {spider!r} does not have")
    return method
