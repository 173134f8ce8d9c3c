"""Open the door in each process that Scrapy's tests start: Python imports a module of this name by itself."""

from __future__ import annotations

import sys
from types import ModuleType

import crawler.scrapy.door  # noqa: F401

# Scrapy's own test server reads TLS versions with these; it is asked for none.
for _path, _name, _value in (
    ("scrapy.core.downloader.tls", "_TWISTED_VERSION_MAP", {}),
    ("scrapy.utils.ssl", "_get_cert_options_version_kwargs", lambda *_: {}),
):
    vars(sys.modules.setdefault(_path, ModuleType(_path)))[_name] = _value
