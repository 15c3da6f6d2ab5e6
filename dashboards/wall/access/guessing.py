"""Whose password is being guessed from many addresses: nobody is kept out for it, and the operator is told."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from telemetry.windows import HOUR_NS

MANY: Final = 24
"""Failures under one name within the hour; then it is told, and again at each doubling."""
_MOST_NAMES: Final = 1_000
_MOST_SOURCES: Final = 1_000


@dataclass(slots=True)
class Guessed:
    """What failed under a name since an hour began."""

    since_ns: int
    failures: int = 0
    sources: set[str] = field(default_factory=set)
    tell_at: int = MANY


class Guessing:
    """Failures by name, over all addresses."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, Guessed] = OrderedDict()

    def failed(self, name: str, source: str, now_ns: int) -> Guessed | None:
        """One more; what is known when it is time to tell it."""
        found = self._names.pop(name, None)
        if found is None or now_ns - found.since_ns >= HOUR_NS:
            found = Guessed(now_ns)
        self._names[name] = found
        while len(self._names) > _MOST_NAMES:
            self._names.popitem(last=False)
        found.failures += 1
        if len(found.sources) < _MOST_SOURCES:
            found.sources.add(source)
        if found.failures < found.tell_at:
            return None
        found.tell_at *= 2
        return found
