"""Which way does a notice take to its place?"""

from __future__ import annotations

from crawler.notices.network import Network, not_sent
from crawler.notices.notice import Notice
from crawler.notices.places import Place


async def send(place: Place, notice: Notice, network: Network, *, wall: float, spider: str, job: str | None) -> None:
    """Send a notice to a place, once. ``wall``: seconds since the epoch. Raises NotSent.

    What a way needs of Twisted is imported when the first notice takes it.
    """
    tls = network.tls(place.server) if place.server.encrypted and place.kind != "hook" else None
    try:
        if place.kind == "mail":
            from crawler.notices.mail import send_mail

            await send_mail(place, notice, network, tls, wall)
        elif place.kind == "irc":
            from crawler.notices.irc import send_irc

            await send_irc(place, notice, network, tls)
        elif place.kind == "xmpp":
            from crawler.notices.xmpp import send_xmpp

            await send_xmpp(place, notice, network, tls)
        else:
            from crawler.notices.hook import body_of, send_hook

            await send_hook(place, body_of(notice, spider, job), network)
    except Exception as error:
        raise not_sent(error, tls) from error
