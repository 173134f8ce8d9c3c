"""How are the nodes of an XML document and the rows of a CSV file read one after the other?"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

from lxml import etree

from crawler.scrapy.http import Response, TextResponse
from crawler.scrapy.selector import Selector

logger = logging.getLogger(__name__)


def xmliter_lxml(obj: Any, nodename: str, namespace: str | None = None, prefix: str = "x") -> Iterator[Selector]:
    """Yield a Selector for each node of this name; ``nodename`` may have a prefix that the document declares.

    Raises lxml's XMLSyntaxError.
    """
    unresolved = not namespace and ":" in nodename
    if unresolved:
        prefix, nodename = nodename.split(":", 1)
    body, encoding = _document(obj)
    events: Any = etree.iterparse(
        BytesIO(body), encoding=encoding, events=("end", "start-ns"), resolve_entities=False, huge_tree=True
    )
    tag = f"{{{namespace}}}{nodename}" if namespace else nodename
    for event, data in events:
        if event == "start-ns":
            if unresolved and data[0] == prefix:
                unresolved, namespace = False, data[1]
                tag = f"{{{namespace}}}{nodename}"
        elif not unresolved and data.tag == tag:
            text = etree.tostring(data, encoding="unicode")
            data.clear()
            node: Any = Selector(text=text, type="xml")
            if namespace:
                node.register_namespace(prefix, namespace)
            yield node.xpath("//" + (f"{prefix}:{nodename}" if namespace else nodename))[0]


xmliter = xmliter_lxml


def _document(obj: Any) -> tuple[bytes, str]:
    """Return bytes and encoding. Raises TypeError for what has none."""
    if isinstance(obj, Response):
        body, encoding = obj.body, obj.encoding if isinstance(obj, TextResponse) else "utf-8"
    else:
        body, encoding = _body_or_str(obj, unicode=False), "utf-8"
    return body.lstrip(), encoding


def csviter(
    obj: Any,
    delimiter: str | None = None,
    headers: list[str] | None = None,
    encoding: str | None = None,
    quotechar: str | None = None,
) -> Iterator[dict[str, str]]:
    """Yield each row as a dict; ``headers`` are those of the first line, unless they are given."""
    given = {"delimiter": delimiter, "quotechar": quotechar}
    options: dict[str, Any] = {name: value for name, value in given.items() if value}
    rows = csv.reader(StringIO(_body_or_str(obj)), **options)
    headers = headers or next(rows, None)
    for row in rows:
        if len(row) != len(headers or ()):
            logger.warning("ignoring row %d (length: %d, should be: %d)", rows.line_num, len(row), len(headers or ()))
            continue
        yield dict(zip(headers or (), row, strict=True))


def _body_or_str(obj: Any, unicode: bool = True) -> Any:
    if not isinstance(obj, Response | str | bytes):
        raise TypeError(f"Object {obj!r} must be Response or str or bytes, not {type(obj).__name__}")
    if isinstance(obj, Response):
        obj = obj.text if unicode and isinstance(obj, TextResponse) else obj.body
    if unicode:
        return obj.decode("utf-8") if isinstance(obj, bytes) else obj
    return obj.encode("utf-8") if isinstance(obj, str) else obj
