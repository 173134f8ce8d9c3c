"""What do the ``-a NAME=VALUE`` of the user mean to this spider?

A spider's arguments are its annotated class attributes in lower case: ``pages: int = 0``. Those the
base class Spider has are not among them unless the spider annotates them again. A spider whose
``__init__`` takes ``**kwargs`` (the way of Scrapy) gets whatever else is given, as it was typed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from crawler.config.components import MISSING, Declared, annotations_of
from crawler.config.kinds import Kind, Value, expectation
from crawler.config.nearest import did_you_mean
from crawler.config.parse import WrongValue, check, parse_text
from crawler.errors import ArgumentError

BASE_MODULES = ("builtins", "typing", "crawler.spider")


def arguments_of(spider: type) -> dict[str, Declared]:
    """Return the declared arguments of a spider class, those of its ``__init__`` included."""
    found = {
        name: Declared(name, kind, getattr(spider, name, MISSING), _name(spider))
        for name, kind in annotations_of(spider, stop=BASE_MODULES).items()
        if name.islower() and not name.startswith("_")
    }
    for name, parameter in _parameters(spider).items():
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY) and name != "name":
            kind = found[name].kind if name in found else _annotation(parameter, spider)
            found[name] = Declared(name, kind, parameter.default, _name(spider))
    return found


def convert_arguments(spider: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the spider declares them; texts are parsed, other values checked.

    Raises ArgumentError: an unknown argument, one that does not convert, one that is missing.
    """
    declared = arguments_of(spider)
    parameters = _parameters(spider)
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    converted = {}
    for name, value in given.items():
        if name in declared:
            converted[name] = _convert(declared[name], value)
        elif takes_all:
            converted[name] = value
        else:
            raise ArgumentError(_unknown(spider, name, declared))
    for name, argument in declared.items():
        if argument.default is MISSING and name not in given:
            if name not in parameters and parameters:
                continue  # its own __init__ may well set the attribute
            words = "text" if argument.kind is MISSING else expectation(argument.kind)
            raise ArgumentError(f"spider {_name(spider)} needs the argument {name} ({words}): -a {name}=…")
    return converted


def _convert(argument: Declared, value: Value) -> Value:
    if argument.kind is MISSING:
        return value
    try:
        return parse_text(value, argument.kind) if isinstance(value, str) else check(value, argument.kind)
    except WrongValue as error:
        raise ArgumentError(f"argument {argument.name} of spider {argument.component}: {error}") from error


def _unknown(spider: type, name: str, declared: Mapping[str, Declared]) -> str:
    message = f"spider {_name(spider)} has no argument {name}"
    plain = inspect.getattr_static(spider, name, MISSING)
    if name.islower() and plain is not MISSING and isinstance(plain, (str, int, float, bool, type(None))):
        kind = "str | None" if plain is None else type(plain).__name__
        return f"{message}; annotate the attribute to make it one: {name}: {kind} = {plain!r}"
    hint = did_you_mean(name, declared)
    known = f"; it has {', '.join(declared)}" if declared else "; it has none"
    return f"{message}{hint or known}"


def _parameters(spider: type) -> dict[str, inspect.Parameter]:
    """Return the parameters of the spider's own ``__init__``; none if it has the base class's."""
    function = spider.__init__  # type: ignore[misc]  # the class's own, whatever it is
    if getattr(function, "__module__", "builtins") in BASE_MODULES or not inspect.isfunction(function):
        return {}
    parameters = list(inspect.signature(function).parameters.values())
    return {parameter.name: parameter for parameter in parameters[1:]}


def _annotation(parameter: inspect.Parameter, spider: type) -> Kind:
    """Return the type of a parameter of ``__init__``; MISSING, without annotation, leaves the text as typed."""
    kind: Kind = parameter.annotation
    if isinstance(kind, str):
        try:
            kind = inspect.signature(spider.__init__, eval_str=True).parameters[parameter.name].annotation
        except Exception:
            return MISSING
    return kind


def _name(spider: type) -> str:
    return getattr(spider, "name", "") or spider.__name__
