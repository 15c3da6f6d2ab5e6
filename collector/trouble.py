"""Trouble that lasts is said once when it begins and once when it is over."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class Trouble:
    """One thing that can fail again and again."""

    def __init__(self, what: str, meanwhile: str, event: str = "trouble") -> None:
        """Take what fails, what happens meanwhile, and the event that the log names it by."""
        self._what = what
        self._meanwhile = meanwhile
        self._event = event
        self.error = ""
        """What is wrong now; empty when all is well."""

    def failed(self, error: BaseException) -> None:
        """It failed (again)."""
        text = str(error) or type(error).__name__
        if not self.error:
            extra = {"event": f"{self._event}.failed", "reason": text}
            log.error("%s: %s; %s", self._what, text, self._meanwhile, extra=extra)
        self.error = text

    def worked(self) -> None:
        """It worked (again)."""
        if self.error:
            extra = {"event": f"{self._event}.recovered", "reason": self.error}
            log.warning("%s: works again", self._what, extra=extra)
        self.error = ""
