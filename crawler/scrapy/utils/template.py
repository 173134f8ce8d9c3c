"""How is a template of `startproject` and `genspider` filled in?"""

from __future__ import annotations

import re
import string as strings
from pathlib import Path
from typing import Any


def render_templatefile(path: Any, **kwargs: Any) -> None:
    """Fill in a file's $names; one called x.tmpl is x afterwards."""
    source = Path(path)
    text = strings.Template(source.read_text("utf8")).substitute(**kwargs)
    target = source.with_suffix("") if source.suffix == ".tmpl" else source
    source.rename(target)
    target.write_text(text, "utf8")


def string_camelcase(string: str) -> str:
    """Return the words of a text as one in CamelCase."""
    return re.sub("[^a-zA-Z0-9]", "", string.title())
