"""Who is the user of a store on another machine, and what is the password, if its URL does not say?

A job keeps no password: of one that its command had in a URL ``***`` is left there. A resume takes it from where it is
kept: the setting STORE_CREDENTIALS, or the variable of that name in the environment.
"""

from __future__ import annotations

import os
from urllib.parse import unquote

from crawler.config.schema import CoreSettings
from crawler.errors import SettingError, UsageError
from crawler.model.masking import HIDDEN, credentials_in, masked

SETTING = "STORE_CREDENTIALS"


def with_password(url: str, core: CoreSettings) -> str:
    """Return the URL of a store with the user and password that STORE_CREDENTIALS has for it, if it has none itself.

    An entry is for the scheme, host and port that it names, and for its user where the URL names one. Raises UsageError
    where a job has left ``***`` of a password that is nowhere to be found, SettingError for an entry that is none.
    """
    before, user, password, rest = credentials_in(url)
    if password not in (None, HIDDEN):
        return url
    for given in [*core.STORE_CREDENTIALS, *os.environ.get(SETTING, "").split()]:
        place, name, secret, host = credentials_in(given)
        if secret is None:
            raise SettingError(f"{SETTING}: {masked(given)!r}: an entry is SCHEME://USER:PASSWORD@HOST")
        if (place, _host(host)) == (before, _host(rest)) and user in ("", name):
            return f"{before}{name}:{secret}@{rest}"
    if password is not None:
        entry = f"{before}{user}:{HIDDEN}@{_host(rest)}"
        raise UsageError(
            f"{masked(url)!r}: a job keeps no passwords; set {SETTING}={entry!r}, with the password in the place of "
            f"{HIDDEN}, in the environment, or a list of such in settings.py, and give the command again"
        )
    return url


def user_of(url: str) -> tuple[str | None, str | None]:
    """Return user and password of a URL, decoded; None for what it does not have."""
    _, user, password, _ = credentials_in(url)
    return unquote(user) or None, None if password is None else unquote(password)


def _host(rest: str) -> str:
    return rest.partition("/")[0].partition("?")[0]
