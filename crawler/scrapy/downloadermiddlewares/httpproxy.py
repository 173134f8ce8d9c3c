"""Through which proxy does a request go? Scrapy's module of that name."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from typing import Any, Self
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from crawler.scrapy.exceptions import NotConfigured

_AUTH = "Proxy-Authorization"


class HttpProxyMiddleware:
    """Sets meta ``proxy`` by the environment where it is not set, and takes its credentials out of it into a header.

    Meta ``_scheme_proxy`` says that it was the environment, ``_auth_proxy`` for which proxy the header is.
    """

    def __init__(self, auth_encoding: str | None = "latin-1") -> None:
        self.auth_encoding = auth_encoding
        self.proxies: dict[str, tuple[bytes | None, str]] = {}
        for kind, url in getproxies().items():
            with suppress(ValueError):  # a socket's path, for example
                self.proxies[kind] = self._get_proxy(url, kind)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        if not crawler.settings.getbool("HTTPPROXY_ENABLED"):
            raise NotConfigured
        return cls(crawler.settings.get("HTTPPROXY_AUTH_ENCODING"))

    def _basic_auth_header(self, username: str, password: str) -> bytes:
        return b64encode(f"{unquote(username)}:{unquote(password)}".encode(self.auth_encoding or "utf-8"))

    def _get_proxy(self, url: str, orig_type: str) -> tuple[bytes | None, str]:
        """Return the credentials, and the URL without them. Raises ValueError for what names no host."""
        scheme, _, rest = url.rpartition("://")  # without a scheme: what kind of requests it is for
        login, _, place = rest.partition("/")[0].rpartition("@")
        if not place:
            raise ValueError(f"no proxy: {url!r}")
        user, _, password = login.partition(":")
        return self._basic_auth_header(user, password) if user else None, f"{scheme or orig_type}://{place}"

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Choose the proxy."""
        meta = request.meta
        credentials, proxy, by_scheme = None, None, False
        if "proxy" in meta:
            if meta["proxy"] is not None:
                credentials, proxy = self._get_proxy(meta["proxy"], "")
        elif (scheme := request.url.partition(":")[0]) in self.proxies and not _by_itself(scheme, request.host):
            (credentials, proxy), by_scheme = self.proxies[scheme], True
        self._set_proxy_and_creds(request, proxy, credentials, by_scheme)

    def _set_proxy_and_creds(self, request: Any, proxy: str | None, credentials: bytes | None, by_scheme: Any) -> None:
        meta, headers = request.meta, request.headers
        if by_scheme:
            meta["_scheme_proxy"] = True
        if proxy or meta.get("proxy") is not None:
            meta["proxy"] = proxy or None
        if credentials:
            headers[_AUTH], meta["_auth_proxy"] = b"Basic " + credentials, proxy
        elif "_auth_proxy" in meta:
            if proxy != meta["_auth_proxy"]:
                headers.pop(_AUTH, None)
                del meta["_auth_proxy"]
        elif _AUTH in headers:
            if proxy:
                meta["_auth_proxy"] = proxy
            else:
                del headers[_AUTH]


def _by_itself(scheme: str, host: str) -> bool:
    """Tell whether no_proxy names the host; it is about http and https."""
    return scheme in ("http", "https") and (not host or bool(proxy_bypass(host)))
