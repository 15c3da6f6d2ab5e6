"""What a probe says of itself: who runs, since when, and why it last started. Retained, so that late readers know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.codec import encode_control
from telemetry.control import Presence

if TYPE_CHECKING:
    from probes.publishing.restart_reason import RestartReason


@dataclass(frozen=True)
class Identity:
    """This run of the agent."""

    version: str
    boot: str
    restart_reason: RestartReason

    def presence(self, *, online: bool, since_ns: int, left: bool = False) -> bytes:
        """The payload of `…/presence`. In a will `since_ns` is when the connection began: nobody knows its end."""
        return encode_control(
            Presence(
                online=online,
                since_ns=max(since_ns, 0),
                version=self.version,
                boot=self.boot,
                restart_reason=self.restart_reason.value,
                left=left,
            )
        )
