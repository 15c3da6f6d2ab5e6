"""The verdict table of one occurrence: for people in Hindi or English, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from config.settings_file import timezone_of
from tatpar.terminal.columns import table
from tatpar.terminal.json_time import readable, rfc3339
from tatpar.verdicts.underway import is_underway
from telemetry.decisions import ReasonCode, State
from telemetry.windows import SECOND_NS
from telemetry.words import say, say_action, say_down, say_not_ready, say_office, say_reason, say_state
from telemetry.words.format import chance, short_moment
from telemetry.words.rehearsals import say_rehearsal_why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.config import Config
    from config.meetings import Occurrence
    from telemetry.decisions import Outcome, Reason, Verdict
    from telemetry.rehearsing import LastRehearsal

_WORST_FIRST: Final = (State.NOT_READY, State.AT_RISK, State.UNKNOWN, State.READY)


@dataclass(frozen=True)
class VerdictTable:
    """An occurrence and the verdicts of the offices that it invites."""

    config: Config
    occurrence: Occurrence
    verdicts: Sequence[Verdict]
    now_ns: int
    """When it is read: what is not of today is told with its day."""
    rehearsed: Mapping[str, LastRehearsal] = field(default_factory=dict)
    """By office, its newest rehearsal."""
    failed: Mapping[str, Outcome] | None = field(default_factory=dict)
    """By office, what came of it so far, of a meeting that runs and that it has failed already; None where that is not known."""

    def counts(self) -> dict[str, int]:
        """Offices by state; those that are not linked yet are `planned` and count nowhere else."""
        counts = dict.fromkeys((*(state.value for state in State), "planned"), 0)
        for verdict in self.verdicts:
            counts["planned" if _is_planned(verdict) else verdict.state.value] += 1
        return counts

    @property
    def someone_is_not_ready(self) -> bool:
        """Whether an invited office is not ready."""
        return any(verdict.state is State.NOT_READY for verdict in self.verdicts)

    def heading(self, language: str) -> list[str]:
        """Which meeting, when, under which profile; how many offices are how; and of one that runs, who has failed it already."""
        occurrence, zone = self.occurrence, timezone_of(self.config.settings)
        when = say(language, "table.when", zone=zone, at=occurrence.starts_ns)
        profile = self.config.profiles[occurrence.meeting.profile].name(language)
        title = occurrence.meeting.name(language)
        first = say(language, "table.occurrence", title=title, when=when, profile=profile)
        if is_underway(occurrence, self.now_ns):
            first += " · " + say(language, "table.rest", zone=zone, until=occurrence.ends_ns)
        found = [first, "  " + self._counts_in_words(language)]
        if self.failed:
            names = ", ".join(say_office(language, self.config.registry, site) for site in self.failed)
            found.append("  " + say(language, "table.failed_already", n=len(self.failed), names=names))
        return found

    def _counts_in_words(self, language: str) -> str:
        n = self.counts()
        return say(
            language,
            "table.counts",
            ready=n["ready"],
            at_risk=n["at_risk"],
            not_ready=say_not_ready(language, (one for one in self.verdicts if not _is_planned(one))),
            unknown=n["unknown"],
            planned=n["planned"],
        )

    def lines(self, language: str) -> list[str]:
        """The linked offices, worst first; the planned ones are only counted."""
        shown = [verdict for verdict in self.verdicts if not _is_planned(verdict)]
        shown.sort(key=_badness)
        columns = ["office", "state", "chance", "best", *(["rehearsal"] if self.rehearsed else []), "why"]
        head = [say(language, f"table.{name}") for name in columns]
        return table(head, [self._row(language, verdict) for verdict in shown])

    def as_json(self) -> dict[str, object]:
        """Everything, offices in the order of the invitation."""
        occurrence = self.occurrence
        return {
            "meeting": occurrence.meeting.uid,
            "title": occurrence.meeting.title,
            "title_en": occurrence.meeting.title_en,
            "recurrence_id": rfc3339(occurrence.recurrence_ns),
            "starts": rfc3339(occurrence.starts_ns),
            "ends": rfc3339(occurrence.ends_ns),
            "end": occurrence.meeting.end,
            "profile": occurrence.meeting.profile,
            "counts": self.counts(),
            "verdicts": [readable(verdict) for verdict in self.verdicts],
            "failed_already": None
            if self.failed is None
            else [
                {"site": site, "broken": one.broken, "windows": one.windows}
                for site, one in self.failed.items()
            ],
            "rehearsals": [readable(self.rehearsed[site]) for site in sorted(self.rehearsed)],
        }

    def _row(self, language: str, verdict: Verdict) -> list[str]:
        best = self.config.profiles.get(verdict.best_profile)
        why = "; ".join(self._reason(language, reason, verdict.probability) for reason in verdict.reasons)
        action = say_action(language, verdict)
        return [
            say_office(language, self.config.registry, verdict.site),
            say_state(language, verdict),
            "" if verdict.probability is None else chance(language, verdict.probability),
            best.name(language) if best else "–",
            *([self._rehearsed(language, verdict.site)] if self.rehearsed else []),
            " · ".join(
                part
                for part in (
                    " → ".join(filter(None, (why, action))),
                    self._failed(language, verdict.site),
                    self._young(language, verdict),
                )
                if part
            ),
        ]

    def _failed(self, language: str, site: str) -> str:
        """That it has failed the meeting already, however well it is now."""
        one = (self.failed or {}).get(site)
        return "" if one is None else say(language, "table.failed_row", broken=one.broken / one.windows)

    def _young(self, language: str, verdict: Verdict) -> str:
        """That little stands behind it yet."""
        known_ns = verdict.known_for_ns(self.now_ns)
        return "" if known_ns is None else say(language, "table.young", known=known_ns / SECOND_NS)

    def _reason(self, language: str, reason: Reason, chance: float | None) -> str:
        zone = timezone_of(self.config.settings)
        ends = {id_: end.name(language) for id_, end in self.config.headquarters.items()}
        if reason.is_down_now:
            return say_down(language, reason, chance, zone=zone, now_ns=self.now_ns, names=ends)
        return say_reason(language, reason, zone=zone, now_ns=self.now_ns, names=ends)

    def _rehearsed(self, language: str, site: str) -> str:
        """What each way held last, when, and what broke."""
        last = self.rehearsed.get(site)
        if last is None:
            return "–"
        when = short_moment(language, last.start_ns, timezone_of(self.config.settings))
        up, down = (self._rung(language, rung) for rung in (last.rung_up, last.rung_down))
        said = say(language, "table.rehearsed", when=when, up=up, down=down)
        return " · ".join(part for part in (said, say_rehearsal_why(language, last.why)) if part)

    def _rung(self, language: str, rung: str) -> str:
        profile = self.config.profiles.get(rung)
        return profile.name(language) if profile else rung or "–"


def _is_planned(verdict: Verdict) -> bool:
    return any(reason.code is ReasonCode.NOT_LINKED for reason in verdict.reasons)


def _badness(verdict: Verdict) -> tuple[int, float, str]:
    return _WORST_FIRST.index(verdict.state), verdict.probability or 0.0, verdict.site
