"""Whether a probe just set up works: one report, stored at the hub, in which everything that is asked answered.

The first window of a probe is cut short: it may hold packets and no echo yet. So a trial looks on until a stored
report speaks of every path and every ping target, and says what is missing when none does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from telemetry.messages import Ping, Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from telemetry.messages import Item


class Answers(NamedTuple):
    """What came back of what was sent, in one window."""

    sent: int
    received: int


Number = tuple[str, int]
"""Epoch and seq of a report: a spool that is begun or numbered anew has another epoch."""
Asked = Mapping[str, Answers]
"""Path or `ping TARGET` -> its answers; nothing sent is 0 of 0."""


def asked_of(items: Iterable[Item], paths: Collection[str], pings: Collection[str]) -> dict[str, Answers]:
    """What a report says of the paths and ping targets that are asked for."""
    asked = dict.fromkeys((*paths, *(f"ping {target}" for target in pings)), Answers(0, 0))
    for item in items:
        if isinstance(item, Stream):
            name = item.path
        elif isinstance(item, Ping):
            name = f"ping {item.target}"
        else:
            continue
        if name in asked:
            asked[name] = Answers(item.sent, item.received)
    return asked


@dataclass
class Trial:
    """Follows the reports of one run of an office from the spool to the hub."""

    stored: int = 0
    """Reports of this run that the hub has stored."""
    best: Asked = field(default_factory=dict)
    """Of the stored reports the one in which most answered."""
    _waiting: dict[Number, Asked] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether a stored report holds an answer of everything that is asked."""
        return bool(self.best) and not self.silent

    @property
    def silent(self) -> list[str]:
        """What never answered in the best of the stored reports."""
        return [name for name, answers in self.best.items() if not answers.received]

    @property
    def waiting(self) -> tuple[Number, ...]:
        """Reports that are not known to be stored."""
        return tuple(self._waiting)

    def spooled(self, number: Number, asked: Asked) -> None:
        """A report was made under this number."""
        self._waiting[number] = asked

    def gone(self, numbers: Iterable[Number]) -> None:
        """These have left the spool, which only the hub's `stored` brings about: keep the best of them."""
        for number in numbers:
            asked = self._waiting.pop(number, None)
            if asked is not None:
                self.stored += 1
                self.best = max(self.best, asked, key=_answered)

    def told(self) -> str:
        """What the best report says, for a person: `main.state 150 of 150 packets back, ping state 15 of 15`."""
        return ", ".join(
            f"{name} {answers.received} of {answers.sent}{'' if name.startswith('ping ') else ' packets back'}"
            for name, answers in self.best.items()
        )

    def failure(self, seconds: float) -> str | None:
        """Why this probe does not work yet, in one line; None when it does. Unanswered pings alone are no failure."""
        if not self.stored:
            return f"no report was stored at the hub within {seconds:g} s; the lines above say why"
        if not self.best:
            return (
                "the hub stores our reports, but there is nothing to measure: name the headquarters' reflector"
                ' under [ends], such as state = "192.0.2.1:862", or in the settings of the hub'
            )
        mute = [name for name in self.silent if not name.startswith("ping ")]
        if not mute:
            return None
        return (
            f"the hub stores our reports, but within {seconds:g} s no packet came back on {', '.join(mute)}:"
            " is the reflector's address right, does it run, does UDP pass the firewalls?"
        )


def _answered(asked: Asked) -> tuple[int, int]:
    """How many answered, then how much was asked."""
    return sum(answers.received > 0 for answers in asked.values()), len(asked)
