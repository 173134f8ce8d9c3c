"""Which keys of a request's meta ask for something, and are not heard?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from crawler.config.nearest import misspelt
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.scope import POLICIES

logger = logging.getLogger(__name__)

_READ = """
allow_offsite auth bindaddress cookiejar depth dont_cache dont_merge_cookies dont_obey_robotstxt dont_redirect
dont_retry download_fail_on_dataloss download_file download_latency download_maxsize download_slot download_timeout
ftp_password ftp_user handle_httpstatus_all handle_httpstatus_list max_retry_times priority_adjust proxy
redirect_reasons redirect_times redirect_urls referrer_policy retry_times robots rule session
"""
READ = frozenset(_READ.split())
"""The meta keys that mean something here; others are the user's own."""

_MOST = 1000
"""So many keys of the user's own are looked at."""


class UnreadKeys:
    """Tell once of each meta key that has no effect, and of each that is nearly one that has; refuse nothing."""

    def __init__(self) -> None:
        self._looked_at = set(READ)
        self._policies = set(POLICIES)

    def __call__(self, request: Request, found_on: Response | None) -> Request:
        meta = request.meta
        if len(meta) < 2:  # the depth alone, as nearly always
            return request
        if not self._looked_at.issuperset(meta):
            self._look(meta)
        if "referrer_policy" in meta:
            self._look_at_policy(str(meta["referrer_policy"]))
        return request

    def _look(self, meta: Mapping[Any, Any]) -> None:
        from crawler.scrapy.elsewhere import META_KEYS  # only where there are keys that are not ours

        for key in meta.keys() - self._looked_at:
            if len(self._looked_at) < _MOST:
                self._looked_at.add(key)
            if key in META_KEYS:
                logger.warning("The meta key %s has no effect here: %s", key, META_KEYS[key])
            elif isinstance(key, str) and (meant := misspelt(key, READ)):
                logger.warning('The meta key %s has no effect; did you mean "%s"?', key, meant)

    def _look_at_policy(self, policy: str) -> None:
        if policy.strip().lower() not in self._policies and len(self._policies) < _MOST:
            self._policies.add(policy.strip().lower())
            logger.warning(
                "The meta key referrer_policy has no effect with %r; there are %s", policy, ", ".join(POLICIES)
            )
