"""How does each of the product's feed formats read, by the standard library and lxml?

The one list of formats that tests go by: a new one needs its line here, and no other.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard
from lxml import etree

READERS: dict[str, Callable[[bytes, str], list[dict[str, Any]]]] = {
    "jl": lambda data, encoding: [json.loads(line) for line in data.decode(encoding).splitlines()],
    "json": lambda data, encoding: json.loads(data.decode(encoding)),
    "csv": lambda data, encoding: list(csv.DictReader(io.StringIO(data.decode(encoding), newline=""))),
    "xml": lambda data, _: [{field.tag: field.text or "" for field in item} for item in etree.fromstring(data)],
}
"""The extension by which tests call a format: what makes the items of a file's bytes, given the encoding."""

FORMATS = list(READERS)


def content(path: Path) -> bytes:
    """The bytes of a file, decompressed by independent means."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix in (".bz2", ".xz"):
        return bz2.decompress(data) if path.suffix == ".bz2" else lzma.decompress(data)
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    return data


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, Any]]:
    """The items of a file, which must be valid."""
    compressed = path.suffix in (".gz", ".zst", ".bz2", ".xz")
    extension = (Path(path.stem) if compressed else path).suffix[1:]
    return READERS[{"jsonl": "jl"}.get(extension, extension)](content(path), encoding)
