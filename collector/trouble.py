"""Trouble that lasts is said once when it begins and once when it is over."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class Trouble:
    """One thing that can fail again and again."""

    def __init__(self, what: str, meanwhile: str) -> None:
        self._what = what
        self._meanwhile = meanwhile
        self.error = ""
        """What is wrong now; empty when all is well."""

    def failed(self, error: BaseException) -> None:
        """It failed (again)."""
        text = str(error) or type(error).__name__
        if not self.error:
            log.error("%s: %s; %s", self._what, text, self._meanwhile)
        self.error = text

    def worked(self) -> None:
        """It worked (again)."""
        if self.error:
            log.warning("%s: works again", self._what)
        self.error = ""
