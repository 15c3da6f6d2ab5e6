"""Why a message was not taken."""

from __future__ import annotations


class DeliveryError(RuntimeError):
    """The other side did not take the message."""

    def __init__(self, text: str, *, final: bool = False, retry_after_s: float | None = None) -> None:
        """Say why in one line, without a secret.

        `final`: it will not take it later either. `retry_after_s`: how long it asked us to leave it alone.
        """
        super().__init__(text)
        self.final = final
        self.retry_after_s = retry_after_s
