"""Which class is a stored request of, and what does that class keep beside a request's fields?

A stored name is looked up among the classes derived from Request that exist, and nowhere else; a stored
attribute goes into a slot or the instance's dict, past properties and ``__setattr__``. So data that was
planted in a job can neither reach another object nor run code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import MemberDescriptorType, ModuleType
from typing import Any

from crawler.errors import StoreError
from crawler.model.request import MOVED, Request, request_classes
from crawler.storage.shapes import CannotStore


class RequestClasses:
    """The classes derived from Request, by ``module:name``; looked for when a name is first asked for."""

    def __init__(self) -> None:
        self._by_name: dict[str, type[Request]] = {}

    def __repr__(self) -> str:
        return f"<RequestClasses, {len(self._by_name)} known>"

    def named(self, name: Any) -> type[Request]:
        """Return the class of a stored name; raises StoreError if there is none."""
        if isinstance(name, str):
            module, _, qualname = name.partition(":")
            name = f"{MOVED.get(module, module)}:{qualname}"
            if name not in self._by_name:  # it may have been made since
                self._by_name = {_full_name(cls): cls for cls in request_classes()}
            if name in self._by_name:
                return self._by_name[name]
        raise StoreError(
            f"the stored request class {name!r} is not known to this project any more; "
            "resume with the class under that name again"
        )


def name_of(cls: type[Request]) -> str:
    """Return the stored name of a class; raises CannotStore if its module does not have it under that name."""
    found: ModuleType | type | None = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not cls:
        raise CannotStore(f"{cls.__qualname__} is not a class that its module names")
    return _full_name(cls)


def own_state(request: Request) -> dict[str, Any] | None:
    """Return what a class derived from Request keeps beside a request's fields; None for nothing."""
    state = dict(getattr(request, "__dict__", ()))
    for name, slot in _slots(type(request)):
        try:
            state[name] = slot.__get__(request)
        except AttributeError:  # it was never set
            continue
    return state or None


def restore_state(request: Request, state: Any) -> None:
    """Give a request what ``own_state`` returned; raises StoreError if its class has no place for it."""
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
