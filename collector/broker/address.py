"""Where a broker is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(StrEnum):
    """Whose broker it is."""

    MOSQUITTO = "mosquitto"
    EMBEDDED = "embedded"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Host and port that clients connect to."""

    host: str
    port: int
    kind: Kind = Kind.EXTERNAL
    login: Callable[[], tuple[str, str]] | None = field(default=None, repr=False, compare=False)
    """User and password as they are at the moment, for each connection anew; None: those of the settings."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
