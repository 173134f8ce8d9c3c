"""How is a class kept under its old name?"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable
from typing import Any

from crawler.scrapy.exceptions import ScrapyDeprecationWarning
from crawler.scrapy.utils.python import get_func_args_dict


def attribute(obj: Any, oldattr: str, newattr: str, version: str = "0.12") -> None:
    """Warn of an attribute's old name."""
    name = type(obj).__name__
    said = f"{name}.{oldattr} attribute is deprecated and will be no longer supported in Scrapy {version}"
    warnings.warn(f"{said}, use {name}.{newattr} attribute instead", ScrapyDeprecationWarning, stacklevel=3)


def create_deprecated_class(
    name: str,
    new_class: type,
    clsdict: dict[str, Any] | None = None,
    warn_category: type[Warning] = ScrapyDeprecationWarning,
    warn_once: bool = True,
    old_class_path: str | None = None,
    new_class_path: str | None = None,
    subclass_warn_message: str = "{cls} inherits from deprecated class {old}, please inherit from {new}.",
    instance_warn_message: str = "{cls} is deprecated, instantiate {new} instead.",
) -> type:
    """Return a class of this old name: to make one, or to derive from it, warns; else it is the new one."""
    new_path = new_class_path or f"{new_class.__module__}.{new_class.__name__}"

    class Meta(new_class.__class__):  # type: ignore[misc,name-defined]  # the metaclass is the new class's
        old: Any = None
        warned = False

        def __init__(self, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> None:
            if Meta.old is None:
                Meta.old = self
            elif Meta.old in bases and not (warn_once and Meta.warned):
                Meta.warned = True
                said = subclass_warn_message.format(cls=_path(self), old=_path(Meta.old, old_class_path), new=new_path)
                said += " (warning only on first subclass, there may be others)" if warn_once else ""
                warnings.warn(said, warn_category, stacklevel=2)
            super().__init__(name, bases, body)

        def __instancecheck__(self, instance: Any) -> bool:
            return any(self.__subclasscheck__(kind) for kind in (type(instance), instance.__class__))

        def __subclasscheck__(self, kind: type) -> bool:
            if self is not Meta.old:
                return bool(super().__subclasscheck__(kind))
            if not inspect.isclass(kind):
                raise TypeError("issubclass() arg 1 must be a class")
            return any(base in (self, new_class) for base in kind.__mro__)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            if self is Meta.old:
                said = instance_warn_message.format(cls=_path(self, old_class_path), new=new_path)
                warnings.warn(said, warn_category, stacklevel=2)
            return super().__call__(*args, **kwargs)

    made: type = Meta(name, (new_class,), clsdict or {})
    made.__module__ = sys._getframe(1).f_globals.get("__name__", made.__module__)
    return made


def _path(cls: type, named: str | None = None) -> str:
    return named or f"{cls.__module__}.{cls.__name__}"


DEPRECATION_RULES: list[tuple[str, str]] = []
"""Beginnings of old paths, and what they begin with today."""


def update_classpath(path: Any) -> Any:
    """Return a class's path of today, with a warning if it was an old one."""
    for old, new in DEPRECATION_RULES:
        if isinstance(path, str) and path.startswith(old):
            today = new + path.removeprefix(old)
            warnings.warn(
                f"`{path}` class is deprecated, use `{today}` instead", ScrapyDeprecationWarning, stacklevel=2
            )
            return today
    return path


def method_is_overridden(subclass: type, base_class: type, method_name: str) -> bool:
    """Tell whether a class has a method of its own."""
    return bool(getattr(base_class, method_name).__code__ is not getattr(subclass, method_name).__code__)


def argument_is_required(func: Callable[..., Any], arg_name: str) -> bool:
    """Tell whether a function has this parameter, and no default for it."""
    parameter = get_func_args_dict(func).get(arg_name)
    return parameter is not None and parameter.default is inspect.Parameter.empty
