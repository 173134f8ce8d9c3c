"""How much of a page's URL may the next request tell as its Referer?

W3C Referrer Policy (https://www.w3.org/TR/referrer-policy/). User info and fragment are never told, and
nothing is told from https to http, except under "unsafe-url" and the origin policies that ask for it.
"""

from __future__ import annotations

from collections.abc import Callable

from crawler.model.url import is_http, normalise, origin_of, without_credentials, without_fragment

_LONGEST = 4096  # Referrer Policy §8.4: of a longer URL the origin alone is told
DEFAULT_POLICY = "strict-origin-when-cross-origin"

# Each: (same origin?, from https to something else?) -> what is told: "url", "origin" or nothing.
POLICIES: dict[str, Callable[[bool, bool], str | None]] = {
    "no-referrer": lambda _same, _down: None,
    "no-referrer-when-downgrade": lambda _same, down: None if down else "url",
    "same-origin": lambda same, _down: "url" if same else None,
    "origin": lambda _same, _down: "origin",
    "strict-origin": lambda _same, down: None if down else "origin",
    "origin-when-cross-origin": lambda same, _down: "url" if same else "origin",
    "strict-origin-when-cross-origin": lambda same, down: "url" if same else (None if down else "origin"),
    "unsafe-url": lambda _same, _down: "url",
    "scrapy-default": lambda _same, down: None if down else "url",
}


def referer_for(
    parent_url: str, target_url: str, policy: str = DEFAULT_POLICY, page_policy_header: str | None = None
) -> str | None:
    """Return the Referer for a request to ``target_url`` found on ``parent_url``, or None to send none.

    Both URLs are in normal form. ``policy`` is the setting's (or meta's ``referrer_policy``); the page's
    own Referrer-Policy header goes before it: the last word of its list that is known (§8.1). Unknown
    words are ignored: they are compared with a table and never looked up as anything else.
    """
    if not is_http(parent_url) or not is_http(target_url):
        return None
    told = POLICIES[_chosen(policy, page_policy_header)](
        origin_of(parent_url) == origin_of(target_url),
        parent_url.startswith("https:") and not target_url.startswith("https:"),
    )
    if told is None:
        return None
    page = without_credentials(without_fragment(parent_url))
    return page if told == "url" and len(page) <= _LONGEST else normalise("/", base=page)


def _chosen(policy: str, page_policy_header: str | None) -> str:
    if page_policy_header:
        for word in reversed(page_policy_header.lower().split(",")):
            if (word := word.strip()) in POLICIES and word != "scrapy-default":
                return word
    policy = policy.strip().lower()
    return policy if policy in POLICIES else DEFAULT_POLICY
