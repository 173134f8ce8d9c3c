"""How is a notice posted to a webhook?

As JSON (RFC 8259): what it is about in fields of their own, as data, and all of it once more as ``text``, which Slack
and Mattermost show. There it is a block of code, and what has a meaning to them is escaped: no address of the network's
is a link, and nobody is called by name. Redirects are not followed, for the URL of a hook is a secret.
"""

from __future__ import annotations

import msgspec

from crawler.notices.network import Network
from crawler.notices.notice import Notice, NotSent
from crawler.notices.places import Place


def body_of(notice: Notice, spider: str, job: str | None) -> bytes:
    """Return what is posted."""
    shown = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
    return msgspec.json.encode(
        {
            "text": f"```\n{shown}\n```",
            "title": notice.title,
            "lines": notice.lines,
            "about": notice.occasion,
            "key": notice.key,
            "spider": spider,
            "job": job,
        }
    )


async def send_hook(place: Place, body: bytes, network: Network) -> None:
    """Post a notice. Raises NotSent."""
    status = await network.post(place.to[0], body)
    if not 200 <= status < 300:
        moved = "; redirects are not followed" if 300 <= status < 400 else ""
        raise NotSent(f"the server answers {status}{moved}", again=status >= 500 or status in (408, 429))
