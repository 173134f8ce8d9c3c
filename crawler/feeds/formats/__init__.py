"""Which formats can a feed be written in?"""

from __future__ import annotations

from crawler.feeds.formats.base import Format, FormatOptions
from crawler.feeds.formats.csv import Csv
from crawler.feeds.formats.json import Json
from crawler.feeds.formats.jsonlines import JsonLines
from crawler.feeds.formats.xml import Xml

FORMATS: dict[str, type[Format] | str] = {
    "jsonlines": JsonLines,
    "jsonl": JsonLines,
    "jl": JsonLines,
    "json": Json,
    "csv": Csv,
    "xml": Xml,
    "parquet": "crawler.feeds.formats.parquet.Parquet",
}
"""Each name, or extension, and its class; its dotted path, where importing it takes long."""

__all__ = ["FORMATS", "Csv", "Format", "FormatOptions", "Json", "JsonLines", "Xml"]
