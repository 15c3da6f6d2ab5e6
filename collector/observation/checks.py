"""Whether a collector can do its duty now: what is looked at, what it says, and since when."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so; `problem` is empty while it is."""

    name: str
    problem: str
    since_ns: int
    """When it last changed between being so and not being so."""

    @property
    def ok(self) -> bool:
        """Whether it is so."""
        return not self.problem


class Readiness:
    """Looks at every check and remembers when each changed; says so in the log, once a change of the whole."""

    def __init__(self, checks: Mapping[str, Callable[[], str]], now_ns: int) -> None:
        """Take the checks by name: each returns what is wrong, empty when nothing is."""
        self._looks = dict(checks)
        self._checks = [Check(name, "not looked at yet", now_ns) for name in checks]
        self._ready = False
        self.since_ns = now_ns

    def look(self, now_ns: int) -> list[Check]:
        """Every check as it is now."""
        self._checks = [self._looked(check, now_ns) for check in self._checks]
        ready = all(check.ok for check in self._checks)
        if ready != self._ready:
            self._ready = ready
            self.since_ns = now_ns
            self._say()
        return self._checks

    @property
    def ready(self) -> bool:
        """Whether all was well at the last look."""
        return self._ready

    def _looked(self, before: Check, now_ns: int) -> Check:
        problem = self._looks[before.name]()
        changed = before.ok != (not problem)
        return Check(before.name, problem, now_ns if changed else before.since_ns)

    def _say(self) -> None:
        if self._ready:
            log.info("the collector is ready", extra={"event": "collector.ready"})
            return
        wrong = {check.name: check.problem for check in self._checks if not check.ok}
        text = "; ".join(f"{name}: {problem}" for name, problem in wrong.items())
        log.warning(
            "the collector is not ready: %s", text, extra={"event": "collector.not-ready", "checks": wrong}
        )
