"""How is a name made a class's?"""

from __future__ import annotations

import re


def string_camelcase(string: str) -> str:
    """Return the words of a text as one in CamelCase."""
    return re.sub("[^a-zA-Z0-9]", "", string.title())
