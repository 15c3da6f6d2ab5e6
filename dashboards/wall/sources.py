"""What the wall reads from: the parts of other rooms' objects that it uses, as it uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from config.config import Config
    from telemetry.access import IncidentMark
    from telemetry.alerting import Alert
    from telemetry.control import Presence
    from telemetry.decisions import Flag, Forecast, Incident, Outcome, Verdict
    from telemetry.rehearsing import LastRehearsal, RehearsalRecord
    from telemetry.state.clocks import WrongClock
    from telemetry.state.flags import FlagSpell
    from telemetry.state.heartbeats import Beat
    from telemetry.state.outbox import OutboxRow
    from telemetry.state.presence import OfflineSpan

    Failures = Mapping[tuple[str, int], Mapping[str, Outcome]]
    """By occurrence (UID, RECURRENCE-ID) that runs, of each office that has failed it the outcome so far."""
    Failing = Callable[[int], Failures]
    """Who has failed a meeting that runs at a time (ns), by the rule of an outcome."""


class Live(Protocol):
    """The configuration, which may change while we run (`config.live.LiveConfig`)."""

    @property
    def current(self) -> Config:
        """The configuration that stands."""
        ...

    @property
    def problem(self) -> Exception | None:
        """Why changed files cannot be used."""
        ...

    def refresh(self) -> object:
        """Take up changed files; cheap when nothing changed."""
        ...


class DecisionReader(Protocol):
    """What was decided (`telemetry.state.db.StateDb`); times in ns."""

    def revision(self) -> int:
        """Rises with every change by any process."""
        ...

    def presence(self) -> Mapping[tuple[str, str], Presence]:
        """The last word of or about every probe."""
        ...

    def presence_spans(self, site: str, from_ns: int, until_ns: int) -> Sequence[OfflineSpan]:
        """When a site's presence was lost."""
        ...

    def told_clocks(self, now_ns: int) -> Sequence[WrongClock]:
        """Offices' clocks that are wrong as far as is heard, or were until a day ago."""
        ...

    def open_flags(self) -> Sequence[Flag]:
        """Lines that are degraded now."""
        ...

    def open_incidents(self) -> Sequence[Incident]:
        """Faults that offices share now."""
        ...

    def incidents(self, from_ns: int, until_ns: int) -> Sequence[Incident]:
        """Faults that offices shared in a span, those that last among them."""
        ...

    def open_alerts(self) -> Sequence[Alert]:
        """Alerts that are not over."""
        ...

    def alerts(self, from_ns: int, until_ns: int) -> Sequence[Alert]:
        """Alerts that overlap a span."""
        ...

    def incident_marks(self, incidents: Sequence[str]) -> Sequence[IncidentMark]:
        """Who has taken up any of these incidents, in the order in which they did."""
        ...

    def messages_of(self, alert_id: str) -> Sequence[OutboxRow]:
        """What was written to whom about an alert, oldest first."""
        ...

    def flag_history(self, from_ns: int, until_ns: int) -> Sequence[FlagSpell]:
        """Flags that stood in a span."""
        ...

    def verdicts(self, from_ns: int, until_ns: int) -> Sequence[Verdict]:
        """Current verdicts by start of the meeting."""
        ...

    def forecasts(self, from_ns: int, until_ns: int) -> Sequence[Forecast]:
        """Forecasts as issued, by start of the meeting."""
        ...

    def outcomes(self, from_ns: int, until_ns: int) -> Sequence[Outcome]:
        """What came true, by start of the meeting."""
        ...

    def open_rehearsal(self) -> RehearsalRecord | None:
        """The rehearsal that waits or is going on."""
        ...

    def rehearsals_of(self, meeting: str, recurrence_ns: int) -> Sequence[RehearsalRecord]:
        """The rehearsals of an occurrence, newest first."""
        ...

    def last_rehearsals(self, sites: Iterable[str], asked_ns: int) -> Mapping[str, LastRehearsal]:
        """By office, its newest rehearsal that was asked for since then and told something."""
        ...

    def beats(self) -> Mapping[str, Beat]:
        """The last heartbeat of each role."""
        ...
