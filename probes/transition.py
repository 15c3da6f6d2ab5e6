"""Log on transition only: once when something fails, once when it works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


class Transition:
    """The last known condition of one thing."""

    def __init__(self, logger: logging.Logger, subject: str, recovered: str, event: str = "trouble") -> None:
        """Take what it is, what is said when it works again, and the event that the log names it by."""
        self._logger = logger
        self._subject = subject
        self._recovered = recovered
        self._event = event
        self.trouble: str | None = None

    def bad(self, trouble: str) -> None:
        """It fails; the same trouble again is not said again."""
        if trouble != self.trouble:
            extra = {"event": f"{self._event}.failed", "subject": self._subject, "reason": trouble}
            self._logger.warning("%s: %s", self._subject, trouble, extra=extra)
        self.trouble = trouble

    def good(self) -> None:
        """It works; said only when it did not before."""
        if self.trouble is not None:
            extra = {"event": f"{self._event}.recovered", "subject": self._subject, "reason": self.trouble}
            self._logger.info("%s: %s", self._subject, self._recovered, extra=extra)
        self.trouble = None
