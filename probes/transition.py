"""Log on transition only: once when something fails, once when it works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


class Transition:
    """The last known condition of one thing."""

    def __init__(self, logger: logging.Logger, subject: str, recovered: str) -> None:
        self._logger = logger
        self._subject = subject
        self._recovered = recovered
        self.trouble: str | None = None

    def bad(self, trouble: str) -> None:
        """It fails; the same trouble again is not said again."""
        if trouble != self.trouble:
            self._logger.warning("%s: %s", self._subject, trouble)
        self.trouble = trouble

    def good(self) -> None:
        """It works; said only when it did not before."""
        if self.trouble is not None:
            self._logger.info("%s: %s", self._subject, self._recovered)
        self.trouble = None
