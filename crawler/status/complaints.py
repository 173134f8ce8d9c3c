"""What does the log hear of the status page? Each kind of refusal and each place of an error once."""

from __future__ import annotations

import logging

from crawler.model.masking import escape
from crawler.status.asked import Refused

logger = logging.getLogger("crawler.status")

_MOST = 100


class Complaints:
    """What one status page has told the log."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def refused(self, refused: Refused) -> None:
        """Log a refusal, the first of its kind."""
        if refused.kind and self._first(refused.kind):
            detail = f" ({escape(refused.detail[:100])})" if refused.detail else ""
            logger.warning("The status page refused %s%s; no more of the kind are logged", refused.kind, detail)

    def failed(self, what: str) -> None:
        """Log the error that is being handled, the first at that place."""
        if self._first(f"failed {what}"):
            logger.exception("The status page failed at %s; no more of the kind are logged", escape(what[:100]))

    def _first(self, kind: str) -> bool:
        if kind in self._told or len(self._told) == _MOST:
            return False
        self._told.add(kind)
        return True
