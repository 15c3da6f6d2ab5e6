"""The flags that were told within the hour: they keep beginnings that the windows remember no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telemetry.decisions import Flag, ReasonCode


@dataclass(frozen=True, slots=True)
class ToldFlags:
    """By line (site, path) and reason its flags, up or over within the hour, in the order in which they began."""

    flags: Mapping[tuple[int, int, ReasonCode], tuple[Flag, ...]] = field(default_factory=dict)

    def began(
        self, line: tuple[int, int], codes: Iterable[ReasonCode], at_ns: int, joined_ns: int = 0
    ) -> Flag | None:
        """The flag with which the trouble of a moment (ns since the Unix epoch) began, under the first of some reasons that was told of it; None where none was.

        Spells that lie no further apart than `joined_ns` are one.
        """
        for code in codes:
            told = self.flags.get((*line, code), ())
            found = [n for n, flag in enumerate(told) if flag.since_ns <= at_ns <= flag.seen_ns + joined_ns]
            if found:
                first = found[0]
                while first and told[first].since_ns - told[first - 1].seen_ns <= joined_ns:
                    first -= 1
                return told[first]
        return None

    def unseen(self, line: tuple[int, int], codes: Iterable[ReasonCode], since_ns: int) -> bool:
        """Whether a flag says of a beginning (ns) that nobody saw it."""
        told = (flag for code in codes for flag in self.flags.get((*line, code), ()))
        return any(flag.reason.unseen for flag in told if flag.since_ns == since_ns)
