"""How is a form or a JSON document sent, and a request made again from its dict, under Scrapy's names?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Self

from crawler.model.fields import FormData
from crawler.model.formdata import form_encoded
from crawler.model.invalid import InvalidRequest
from crawler.model.request import MOVED, Request, request_classes
from crawler.model.response import Response
from crawler.model.url import with_query
from crawler.spider import Spider


class FormRequest(Request):
    """A request with ``formdata``, a mapping or pairs; a value may be a list.

    It goes into the body by POST, or with another ``method`` into the URL's query (Scrapy's FormRequest).
    """

    __slots__ = ()

    def __init__(self, url: str, *arguments: Any, formdata: FormData | None = None, **options: Any) -> None:
        method = arguments[1] if len(arguments) > 1 else options.get("method")
        if not formdata:
            super().__init__(url, *arguments, **options)
        elif method is None or str(method).upper() == "POST":
            super().__init__(url, *arguments, data=formdata, **options)
        else:
            query = form_encoded(formdata, options.get("encoding", "utf-8"))
            super().__init__(with_query(url, query), *arguments, **options)

    @classmethod
    def from_response(cls, response: Response, *arguments: Any, **options: Any) -> Self:
        """Submit a form of a page: see ``Request.from_form``."""
        return cls.from_form(response, *arguments, **options)


class JsonRequest(Request):
    """A request with ``data``, any value, as its JSON body by POST unless a method is given.

    ``dumps_kwargs`` go to json.dumps, with sorted keys by default (Scrapy's JsonRequest).
    """

    __slots__ = ("_dumps_kwargs",)
    attributes = (*Request.attributes, "dumps_kwargs")

    def __init__(
        self, url: str, *arguments: Any, data: Any = None, dumps_kwargs: dict[str, Any] | None = None, **options: Any
    ) -> None:
        self._dumps_kwargs = {"sort_keys": True, **(dumps_kwargs or {})}
        if data is not None:
            if options.get("body") is not None:
                raise InvalidRequest("give body= or data=, not both")
            options["body"] = json.dumps(data, **self._dumps_kwargs)
            if len(arguments) < 2:
                options.setdefault("method", "POST")
        super().__init__(url, *arguments, **options)
        self.headers.setdefault("Content-Type", "application/json")
        self.headers.setdefault("Accept", "application/json, text/javascript, */*; q=0.01")

    @property
    def dumps_kwargs(self) -> dict[str, Any]:
        """What json.dumps is given."""
        return self._dumps_kwargs


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
