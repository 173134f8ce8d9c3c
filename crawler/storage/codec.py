"""How is a request stored, and made again after a kill?

As its URL and a short MessagePack array of what differs from a plain GET. Callbacks are stored by the
name of a method of the spider, classes of requests by their name with what they keep beside a request's
fields. A request with a lambda, a closure, a foreign object in meta or a class that is no module's has
no stored form: ``CannotStore``, and the engine carries it.

A stored class is looked up among the classes derived from Request that exist, and nowhere else; a stored
attribute goes into a slot or the instance's dict, past properties and ``__setattr__``. So data that was
planted in a job can neither reach another object nor run code.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from types import MemberDescriptorType, ModuleType
from typing import Any

from crawler.errors import StoreError
from crawler.model.fields import NO_CALLBACK
from crawler.model.headers import Headers
from crawler.model.request import MOVED, Request, request_classes
from crawler.storage.shapes import CannotStore
from crawler.storage.values import Value, Values

__all__ = ["CannotStore", "Codec"]

_NO_CALLBACK_NAME = "!"
"""No method can have this name."""

_LINKS_KEPT = 1000
"""Stored forms of links that are remembered: few pages are worked on at once."""

_USERS = (1, 2, 7, 10, 12)
"""Places of what the user put into a request: meta, cb_kwargs, cookies, flags, state. The rest is plain."""


class Codec:
    """Stores requests, items and values for one spider.

    ``classes`` is the closed registry: the item and Enum classes of the project. Nothing else can come out
    of a store but requests, whose classes are those derived from Request that exist.
    """

    def __init__(self, spider: Any = None, classes: Iterable[type] = ()) -> None:
        self._values = Values(classes)
        self.encode, self.decode = self._values.encode, self._values.decode  # of any value
        self._classes: dict[str, type[Request]] = {}  # looked for when one is first asked for
        self._spider = spider
        self._methods = _methods_of(spider)
        self._names = {id(_function_of(method)): name for name, method in reversed(self._methods.items())}
        self._links: dict[tuple[Any, ...], bytes] = {}

    def __repr__(self) -> str:
        return f"<Codec for {self._spider!r}: {len(self._methods)} callbacks>"

    def encode_item(self, item: Value) -> bytes:
        """Return the stored form of an item; foreign subclasses of plain types are kept as their base."""
        return self._values.encode(item, lenient=True)

    def encode_request(self, request: Request) -> bytes:
        """Return the stored form of everything but URL and priority; raises CannotStore."""
        if (key := _link_key(request)) is None:
            return self._encoded_request(request)
        form = self._links.get(key)
        if form is None:
            form = self._encoded_request(request)
            if len(self._links) >= _LINKS_KEPT:
                self._links.clear()
            self._links[key] = form
        return form

    def _encoded_request(self, request: Request) -> bytes:
        headers = request._headers
        method, encoding = request._method, request._encoding
        parts: list[Any] = [
            self._callback_name(request._callback),
            request._meta or None,
            request._cb_kwargs or None,
            None if request._errback is None else self._callback_name(request._errback),
            None if method == "GET" else method,
            request._body or None,
            None if headers is None else [headers.raw(), sorted(headers._withheld)],
            request._cookies or None,
            True if request._dont_filter else None,
            None if encoding == "utf-8" else encoding,
            request._flags or None,
            *((None, None) if request.__class__ is Request else (_name_of(type(request)), _own_state(request))),
        ]
        while parts and parts[-1] is None:
            parts.pop()
        return self._values.encode_plain(parts, _USERS)

    def decode_request(self, url: str, priority: int, data: bytes) -> Request:
        """Make the request again; raises StoreError for bytes or names that do not fit."""
        parts = self._values.decode(data)
        if not isinstance(parts, list) or len(parts) > 13:
            raise StoreError(f"the stored request to {url} is not one")
        parts += [None] * (13 - len(parts))
        callback, meta, cb_kwargs, errback, method, body, headers, cookies, dont_filter, encoding, flags = parts[:11]
        name, state = parts[11:]
        request = (Request if name is None else self._class(name)).to_link(url, self._callback(callback))
        if state is not None:
            _restore_state(request, state)
        request._meta, request._cb_kwargs, request._cookies, request._flags = meta or {}, cb_kwargs, cookies, flags
        request._errback = self._callback(errback)
        request._method = method or "GET"
        request._body = body or b""
        request._priority = priority
        request._dont_filter = bool(dont_filter)
        request._encoding = encoding or "utf-8"
        if headers is not None:
            request._headers = Headers.from_raw([(field, value) for field, value in headers[0]])
            request._headers._withheld = frozenset(headers[1])
        return request

    def _class(self, name: Value) -> type[Request]:
        """Return the class of a stored name; raises StoreError if there is none."""
        if isinstance(name, str):
            module, _, qualname = name.partition(":")
            name = f"{MOVED.get(module, module)}:{qualname}"
            if name not in self._classes:  # it may have been made since
                self._classes = {_full_name(cls): cls for cls in request_classes()}
            if name in self._classes:
                return self._classes[name]
        raise StoreError(
            f"the stored request class {name!r} is not known to this project any more; "
            "resume with the class under that name again"
        )

    def _callback_name(self, callback: Callable[..., Any] | None) -> str | None:
        if callback is None:
            return None
        if callback is NO_CALLBACK:
            return _NO_CALLBACK_NAME
        owner = getattr(callback, "__self__", None)
        name = self._names.get(id(_function_of(callback)))
        if name is None or (owner is not self._spider and owner is not type(self._spider) and owner is not None):
            raise CannotStore(f"{callback!r} is not a method of the spider")
        return name

    def _callback(self, name: str | None) -> Callable[..., Any] | None:
        if name is None:
            return None
        if name == _NO_CALLBACK_NAME:
            return NO_CALLBACK
        method = self._methods.get(name)
        if method is None:
            raise StoreError(f"a stored request goes to the callback {name!r}, which the spider has no more")
        return method


def _link_key(request: Request) -> tuple[Any, ...] | None:
    """Return what the stored form of a plain link depends on: all links of a page have the same. None: it is none."""
    meta, headers = request._meta, request._headers
    if (
        (request.__class__ is Request or _is_bare(request.__class__))
        and len(meta) == 1
        and type(depth := meta.get("depth")) is int
        and request._method == "GET"
        and not (request._cb_kwargs or request._cookies or request._body or request._flags or request._errback)
        and not (headers is not None and headers._withheld)
    ):
        # What is remembered is of methods of the spider, which live as long as these forms: their ids are theirs.
        callback = request._callback
        function = id(_function_of(callback)), id(getattr(callback, "__self__", None))
        raw = () if headers is None else tuple(headers.raw())
        return request.__class__, depth, function, bool(request._dont_filter), request._encoding, raw
    return None


def _is_bare(cls: type[Request]) -> bool:
    """Tell whether requests of a class have nothing that Request has not: no further slot, and no dict."""
    return cls.__basicsize__ == Request.__basicsize__ and not cls.__dictoffset__


def _function_of(callback: Callable[..., Any] | None) -> Callable[..., Any] | None:
    return getattr(callback, "__func__", callback)


def _methods_of(spider: Any) -> dict[str, Callable[..., Any]]:
    """Return the spider's methods by name. Properties are not run, and special methods are left out."""
    methods: dict[str, Callable[..., Any]] = {}
    for name in dir(type(spider)) if spider is not None else ():
        if not (name.startswith("__") and name.endswith("__")):
            static = inspect.getattr_static(type(spider), name)
            if inspect.isroutine(static) or isinstance(static, (classmethod, staticmethod)):
                methods[name] = getattr(spider, name)
    return methods


def _name_of(cls: type[Request]) -> str:
    """Return the stored name of a class; raises CannotStore if its module does not have it under that name."""
    found: ModuleType | type | None = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not cls:
        raise CannotStore(f"{cls.__qualname__} is not a class that its module names")
    return _full_name(cls)


def _own_state(request: Request) -> dict[str, Any] | None:
    """Return what a class derived from Request keeps beside a request's fields; None for nothing."""
    state = dict(getattr(request, "__dict__", ()))
    for name, slot in _slots(type(request)):
        try:
            state[name] = slot.__get__(request)
        except AttributeError:  # it was never set
            continue
    return state or None


def _restore_state(request: Request, state: Value) -> None:
    """Give a request what ``_own_state`` returned; raises StoreError if its class has no place for it."""
    slots = dict(_slots(type(request)))
    attributes = getattr(request, "__dict__", None)
    if not isinstance(state, dict):
        raise _misfit(request, "it is no dict")
    for name, value in state.items():
        if name in slots:
            slots[name].__set__(request, value)
        elif attributes is not None and isinstance(name, str):
            attributes[name] = value
        else:
            raise _misfit(request, f"it has no {name!r}")


def _slots(cls: type[Request]) -> Iterator[tuple[str, MemberDescriptorType]]:
    """Yield the slots of the classes between ``cls`` and Request, those of bases first."""
    for base in reversed(cls.__mro__):
        if base not in Request.__mro__:
            for name, value in vars(base).items():
                if isinstance(value, MemberDescriptorType):
                    yield name, value


def _full_name(cls: type[Request]) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _misfit(request: Request, why: str) -> StoreError:
    return StoreError(f"a stored {type(request).__qualname__} does not fit its class any more: {why}")
