"""Has a class a method of its own?"""

from __future__ import annotations


def method_is_overridden(subclass: type, base_class: type, method_name: str) -> bool:
    """Tell whether a class's method is another one than its base's."""
    return bool(getattr(base_class, method_name).__code__ is not getattr(subclass, method_name).__code__)
