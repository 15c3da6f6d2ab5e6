"""What a link's owner and its process say to each other: JSON, one message a line."""

from __future__ import annotations

from msgspec import Struct

from lab.line.impairment import Impairment


class SetUp(Struct, frozen=True, kw_only=True, tag=True):
    """The first message: between which namespaces, with which seed, and where the truth log goes."""

    office: str
    hub: str
    seed: str
    truth: str


class SetWays(Struct, frozen=True, tag=True):
    """What the two directions do from now on."""

    up: Impairment
    down: Impairment


class AskCounts(Struct, frozen=True, tag=True):
    """Ask for counts, and have the truth log written out."""


class Way(Struct, frozen=True):
    """What passed one direction so far."""

    arrived: int = 0
    delivered: int = 0
    copies: int = 0
    """Extra copies made by the link."""
    lost: int = 0
    unsent: int = 0
    """Lost by the link's own fault: its queue was full, or the kernel would not take the packet."""
    unstamped_in: int = 0
    """Packets to which no stamp of the kernel could be matched; they are in the log without the time."""
    unstamped_out: int = 0


class Done(Struct, frozen=True, tag=True):
    """It is so now."""


class Refused(Struct, frozen=True, tag=True):
    """It cannot be done."""

    why: str


class Counts(Struct, frozen=True, tag=True):
    """Counts of both directions, and seconds of CPU that the process has used."""

    up: Way
    down: Way
    cpu_s: float


Request = SetUp | SetWays | AskCounts
Reply = Done | Refused | Counts
