"""What the fleet and the process that holds the lines say to each other: JSON, one message a line."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from lab.line.impairment import Impairment

Address = tuple[str, int]


class LineSpec(Struct, frozen=True):
    """One line to set up."""

    site: str
    end: str
    reflector: Address


class SetUp(Struct, frozen=True, kw_only=True, tag=True):
    """The first message: every line, and where the broker is."""

    seed: str
    lines: tuple[LineSpec, ...]
    broker: Address | None = None
    truth: str | None = None
    """Folder of the truth log; None: no log."""
    truth_segments: int = 8


class LineState(Struct, frozen=True):
    """What a line shall do from now on."""

    site: str
    end: str
    up: Impairment
    down: Impairment


class SetStates(Struct, frozen=True, kw_only=True, tag=True):
    """Changed states of lines, and offices whose TCP is cut or whole again."""

    states: tuple[LineState, ...] = ()
    cut: dict[str, bool] = {}


class AskStatus(Struct, frozen=True, tag=True):
    """Ask for counts."""


class FlushTruth(Struct, frozen=True, tag=True):
    """Write out what the truth log holds in memory."""


class Redirect(Struct, frozen=True, tag=True):
    """The broker has moved."""

    broker: Address


Request = SetUp | SetStates | AskStatus | FlushTruth | Redirect


class Ports(Struct, frozen=True, kw_only=True, tag=True):
    """The answer to SetUp: listening ports, lines in their order, then one MQTT port an office."""

    udp: tuple[int, ...]
    tcp: dict[str, int]


class LineCounts(Struct, frozen=True, kw_only=True):
    """What passed one direction of a line; packets."""

    site: str
    end: str
    direction: str
    arrived: int
    delivered: int
    lost: int
    unsent: int


class LinesStatus(Struct, frozen=True, kw_only=True, tag=True):
    """The answer to AskStatus."""

    counts: tuple[LineCounts, ...]
    late_us: dict[str, float]
    """Quantiles of how late packets left, over the last tens of thousands."""
    cpu_s: float
    """CPU time that the process has used."""
    waiting: int


class Done(Struct, frozen=True, tag=True):
    """The answer to everything else."""


Reply = Ports | LinesStatus | Done

encoder = msgspec.json.Encoder()
request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
reply_decoder: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)
