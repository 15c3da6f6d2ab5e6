"""Where a broker is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
