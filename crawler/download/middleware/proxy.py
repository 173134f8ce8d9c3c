"""Through which proxy does a request go?

What the request says (meta ``proxy``, None for none) comes before the environment's http_proxy,
https_proxy, all_proxy and no_proxy. The choice is made for each attempt, so that a redirect from http to
https picks again, and it is not written into the request's own meta.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import Fetch, as_answer_to
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import split


class EnvironmentProxy:
    """HTTPPROXY_ENABLED: the proxies of the environment, read once."""

    def __init__(self, settings: CoreSettings, environment: Mapping[str, str] = os.environ) -> None:
        self._proxies: dict[str, str] = {}
        self._exceptions: list[str] = []
        if settings.HTTPPROXY_ENABLED:
            self._read(environment)

    def __bool__(self) -> bool:
        """Whether the environment names any proxy."""
        return bool(self._proxies)

    def _read(self, environment: Mapping[str, str]) -> None:
        def value(name: str) -> str:
            # HTTP_PROXY in upper case is what a CGI client can set by a "Proxy:" header (httpoxy, 2016).
            upper = (
                "" if name == "http_proxy" and "REQUEST_METHOD" in environment else environment.get(name.upper(), "")
            )
            return (environment.get(name) or upper).strip()

        for scheme in ("http", "https"):
            if proxy := value(f"{scheme}_proxy") or value("all_proxy"):
                self._proxies[scheme] = proxy
        self._exceptions = [part.strip().lower() for part in value("no_proxy").split(",") if part.strip()]

    def before(self, request: Request) -> bool:
        """See chain.Middleware: tell whether the request has its proxy already, or there is none."""
        return not self._proxies or "proxy" in request.meta

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Choose the proxy of this attempt."""
        if not self.before(request):
            proxy = self.proxy_for(request.normal_url)
            if proxy is not None:
                sent = request.replace(meta={**request.meta, "proxy": proxy})
                return as_answer_to(request, sent, await fetch(sent))
        return await fetch(request)

    def proxy_for(self, url: str) -> str | None:
        """Return the URL of the environment's proxy for a URL, or None."""
        proxy = self._proxies.get(url.partition(":")[0])
        if proxy is None or not self._exceptions:
            return proxy
        parts = split(url)
        return None if any(_matches(rule, parts.host, parts.port) for rule in self._exceptions) else proxy


def _matches(rule: str, host: str, port: int | None) -> bool:
    """Tell whether a part of no_proxy means this host: "*", a name (and all below it), an address, a
    network, each with or without a port."""
    if rule == "*":
        return True
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit() and (":" not in name or name.endswith("]")):
        if port != int(wanted):
            return False
        rule = name
    rule = rule.strip("[]")
    if "/" in rule:
        try:
            return ip_address(host) in ip_network(rule, strict=False)
        except ValueError:
            return False
    rule = rule.removeprefix("*").lstrip(".")
    return host == rule or host.endswith(f".{rule}")
