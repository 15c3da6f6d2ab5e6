"""What the collector has done since it started, as shown on the wall and by `doctor`."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collector.batch import Batch

_RECENT: Final = 200


@dataclass(slots=True)
class Counters:
    """Counts only rise; they start at 0 with the process."""

    messages: int = 0
    reports_live: int = 0
    reports_backlog: int = 0
    stored: int = 0
    duplicates: int = 0
    redated: int = 0
    opaque_items: int = 0
    presences: int = 0
    answers: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    commit_failures: int = 0
    state_failures: int = 0
    upkeep_failures: int = 0
    confirmations: int = 0
    plans: int = 0
    plans_withheld: int = 0
    """How often a probe was heard that gets no plan, because its site has as many as are told one."""
    commit_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """Duration of the latest commits."""

    def absorb(self, batch: Batch) -> None:
        """Add what became of one batch."""
        self.messages += batch.messages
        self.reports_live += batch.live
        self.reports_backlog += batch.backlog
        self.stored += batch.stored
        self.duplicates += batch.duplicates
        self.redated += batch.redated
        self.opaque_items += batch.opaque_items
        self.presences += len(batch.said)
        self.answers += len(batch.answers)
        self.refused.update(code.value for code in batch.refused_by_code.elements())
        self.commits += 1
        self.commit_ms.append(1e3 * batch.took_s)

    def detail(self) -> dict[str, object]:
        """The same as plain JSON values."""
        recent = sorted(self.commit_ms)
        return {
            "messages": self.messages,
            "reports_live": self.reports_live,
            "reports_backlog": self.reports_backlog,
            "stored": self.stored,
            "duplicates": self.duplicates,
            "redated": self.redated,
            "opaque_items": self.opaque_items,
            "presences": self.presences,
            "answers": self.answers,
            "refused": dict(self.refused),
            "commits": self.commits,
            "commit_failures": self.commit_failures,
            "state_failures": self.state_failures,
            "upkeep_failures": self.upkeep_failures,
            "confirmations": self.confirmations,
            "plans": self.plans,
            "plans_withheld": self.plans_withheld,
            "commit_ms_p50": round(recent[len(recent) // 2], 3) if recent else None,
            "commit_ms_max": round(recent[-1], 3) if recent else None,
        }
