"""What of a command may be kept on a server that others use, too?

The settings of the command line go with the job, so that all of its workers have them. A password among them would be
in clear text where everybody can read it who may read the server's keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawler.commands.showing import without_passwords
from crawler.errors import UsageError
from crawler.storage.cluster.address import Address, has_password, is_url


def check_kept(settings: Mapping[str, Any], address: Address) -> None:
    """Raise UsageError for a setting of the command line that has a password in it."""
    for name, value in settings.items():
        if name == "JOB_STORE" and is_url(value) and not has_password(value):
            continue  # the name of a user is masked where it is shown, and no secret
        if without_passwords(name, value) != value:
            raise UsageError(
                f"-s {name}=…: its password would lie on the server at {address.url}, for everybody who uses that: set "
                f"{name} in the project's settings, on each machine that works on the job"
            )
