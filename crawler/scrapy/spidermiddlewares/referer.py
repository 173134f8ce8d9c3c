"""What may a request tell of the page that it was found on?

The policies are the crawler's (crawler/policy/scope.py, by the W3C's Referrer Policy); a class of the user's may be one
as well: REFERRER_POLICY and REFERRER_POLICIES name it.
"""

from __future__ import annotations

import warnings
from typing import Any, Self

from crawler.policy import scope
from crawler.scrapy.adapters.components import loaded
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.spidermiddlewares.base import BaseSpiderMiddleware

_SCHEMES = ("http://", "https://", "ftp://", "ftps://")


class ReferrerPolicy:
    """A policy; ``name`` is the standard's."""

    name: str

    def referrer(self, response_url: str, request_url: str) -> str | None:
        """Return the Referer of a request that was found there, None to send none."""
        return scope.referer_for(response_url, request_url, self.name, schemes=_SCHEMES)


def _policy(class_name: str, name: str) -> type[ReferrerPolicy]:
    return type(class_name, (ReferrerPolicy,), {"name": name, "__module__": __name__, "__doc__": f"The policy {name}."})


_CLASSES = {"scrapy-default": "DefaultReferrerPolicy", "unsafe-url": "UnsafeUrlPolicy"}
POLICIES = {
    name: _policy(_CLASSES.get(name, f"{name.title().replace('-', '')}Policy"), name) for name in scope.POLICIES
}
globals().update({policy.__name__: policy for policy in POLICIES.values()})
globals().update({f"POLICY_{name.upper().replace('-', '_')}": name for name in POLICIES})


class RefererMiddleware(BaseSpiderMiddleware):
    """Fills in Referer where a request has none."""

    def __init__(self, settings: Any = None) -> None:
        self.default_policy: type[ReferrerPolicy] = POLICIES["scrapy-default"]
        self.policies = POLICIES | {"": POLICIES["no-referrer-when-downgrade"]}
        if settings is None:
            return
        for name, path in settings.getdict("REFERRER_POLICIES").items():
            if path is None:
                del self.policies[name]
            else:
                self.policies[name] = loaded(path, "REFERRER_POLICIES")
        self.default_policy = self._named(settings.get("REFERRER_POLICY"), paths=True)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl; raises NotConfigured without REFERER_ENABLED."""
        if not crawler.settings.getbool("REFERER_ENABLED"):
            raise NotConfigured
        made = cls(crawler.settings)
        made.crawler = crawler
        return made

    def policy(self, response: Any = None, request: Any = None) -> ReferrerPolicy:
        """Return the policy of a request: its meta's, the page's own, or the setting's. One that is unknown is warned
        of."""
        if response is None or request is None:
            raise TypeError("policy() needs the response and the request")
        named = request.meta.get("referrer_policy")
        paths = named is not None
        if named is None and not isinstance(response, str):
            header = response.headers.get("Referrer-Policy")
            named = None if header is None else header.decode("latin-1")
        if named is None:
            return self.default_policy()
        try:
            return self._named(named, paths=paths)()
        except RuntimeError as error:
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)
            return self.default_policy()

    def _named(self, policy: Any, *, paths: bool) -> type[ReferrerPolicy]:
        """Return a policy by the standard's name, or by the path of its class where ``paths`` are allowed."""
        if isinstance(policy, type):
            return policy
        if paths and "." in policy:
            found: type[ReferrerPolicy] = loaded(policy, "REFERRER_POLICY")
            return found
        for name in reversed(policy.split(",")):  # the last that is known (Referrer Policy §8.1)
            if (known := self.policies.get(name.strip().lower())) is not None:
                return known
        raise RuntimeError(f"{policy!r} is no referrer policy: there are {', '.join(filter(None, self.policies))}")

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Fill in Referer."""
        if response is not None:
            referrer = self.policy(response, request).referrer(response.url, request.url)
            if referrer is not None:
                request.headers.setdefault("Referer", referrer)
        return request
