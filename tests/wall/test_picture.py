"""The picture: tiles, meetings, incidents, the track record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from config.sites import Site, SiteStatus
from dashboards.wall.live.recent import Recent
from dashboards.wall.picture.gatherings import today_and_tomorrow
from dashboards.wall.picture.incidents import incidents
from dashboards.wall.picture.model import Cause, Shade, Why
from dashboards.wall.picture.reasons import shown
from dashboards.wall.picture.tiles import Known, next_verdicts, presence_of, tile
from dashboards.wall.picture.times import meeting_key, recurrence_name, recurrence_ns
from dashboards.wall.picture.track import track
from dashboards.wall.picture.weak import next_occurrence, weak
from telemetry.access import IncidentMark
from telemetry.alerting import Alert, AlertState, Kind, Severity
from telemetry.control import Presence
from telemetry.decisions import (
    Action,
    Evidence,
    Factor,
    FactorKind,
    Flag,
    Forecast,
    Horizon,
    Outcome,
    OutcomeState,
    Reason,
    ReasonCode,
    State,
    Verdict,
)
from telemetry.decisions import Incident as DecidedIncident
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS
from telemetry.words import format as form

NOW_NS = 1_795_495_670 * SECOND_NS
SITE = Site(id="a", name_en="A", name_hi="अ", region="r", lat=26, lon=80, status=SiteStatus.LINKED)


def verdict(**more: Any) -> Verdict:
    fields: dict[str, Any] = {
        "site": "a",
        "meeting": "m",
        "occurrence_ns": NOW_NS,
        "starts_ns": NOW_NS + HOUR_NS,
        "ends_ns": NOW_NS + 2 * HOUR_NS,
        "profile": "p",
        "issued_ns": NOW_NS,
        "state": State.READY,
        "probability": 0.956,
    }
    return Verdict(**fields | more)


def flag(*, severe: bool = False, code: ReasonCode = ReasonCode.LOSS_UP, site: str = "a") -> Flag:
    reason = Reason(code=code, value=0.0412, unit="ratio", since_ns=NOW_NS)
    return Flag(site=site, path="main.x", reason=reason, since_ns=NOW_NS, seen_ns=NOW_NS, severe=severe)


def heard() -> Recent:
    """A ring whose office was heard just now."""
    recent = Recent()
    recent.advance(NOW_NS)
    recent._newest["a"] = NOW_NS
    return recent


def made(known: Known, recent: Recent | None = None, site: Site = SITE) -> Any:
    return tile(site, known, heard() if recent is None else recent, NOW_NS - 120 * SECOND_NS)


@pytest.mark.parametrize(
    ("state", "reasons", "shade"),
    [
        (State.READY, (), Shade.READY),
        (State.AT_RISK, (Reason(code=ReasonCode.LOSS),), Shade.AT_RISK),
        (State.NOT_READY, (Reason(code=ReasonCode.OUTAGE),), Shade.NOT_READY),
        (State.NOT_READY, (Reason(code=ReasonCode.DARK),), Shade.DARK),
        (State.UNKNOWN, (Reason(code=ReasonCode.NO_DATA),), Shade.UNKNOWN),
    ],
)
def test_a_tile_shows_its_verdict(state: State, reasons: tuple[Reason, ...], shade: Shade) -> None:
    """The verdict's word is the tile's; not ready for want of contact has its own sign."""
    shown_tile = made(Known(verdict(state=state, reasons=reasons, action=Action.WATCH)))
    assert shown_tile.shade is shade
    assert shown_tile.probability == 0.96
    assert shown_tile.meeting == meeting_key("m", NOW_NS)
    assert shown_tile.action == "watch"


@pytest.mark.parametrize(
    ("flags", "presence", "silent", "shade"),
    [
        ([], None, False, Shade.READY),
        ([flag()], None, False, Shade.AT_RISK),
        ([flag(), flag(severe=True)], None, False, Shade.NOT_READY),
        ([], None, True, Shade.UNKNOWN),
        ([], Presence(online=True, since_ns=1), True, Shade.UNKNOWN),
        ([], Presence(online=False, since_ns=1), True, Shade.DARK),
        ([flag(code=ReasonCode.DARK)], Presence(online=True, since_ns=1), True, Shade.DARK),
    ],
)
def test_without_a_meeting_the_line_speaks(
    flags: list[Flag], presence: Presence | None, silent: bool, shade: Shade
) -> None:
    """With no verdict the shade is the line's; a silent line is never ready."""
    shown_tile = made(Known(None, flags, presence), Recent() if silent else None)
    assert shown_tile.shade is shade
    assert shown_tile.probability is None
    assert not shown_tile.meeting


def test_a_planned_office_is_an_outline_only() -> None:
    """Nothing is claimed of an office that has no line, whatever a verdict says."""
    planned = Site(id="a", name_en="A", name_hi="अ", region="r", lat=26, lon=80, status=SiteStatus.PLANNED)
    assert made(Known(verdict()), site=planned).shade is Shade.PLANNED


def test_the_next_meeting_is_the_one_that_runs_or_comes_first() -> None:
    """A meeting that is over no longer decides; one that runs still does."""
    over = verdict(meeting="over", starts_ns=NOW_NS - 2 * HOUR_NS, ends_ns=NOW_NS)
    runs = verdict(meeting="runs", starts_ns=NOW_NS - HOUR_NS, ends_ns=NOW_NS + 1)
    later = verdict(meeting="later")
    assert next_verdicts([later, over, runs], NOW_NS)["a"].meeting == "runs"
    assert next_verdicts([over], NOW_NS) == {}


def test_one_probe_online_is_an_office_online() -> None:
    """Of several probes the one in contact counts, else the last that was."""
    online, old, new = (Presence(online=o, since_ns=s) for o, s in ((True, 1), (False, 5), (False, 9)))
    assert presence_of({("a", "p1"): old, ("a", "p2"): online, ("a", "p3"): new})["a"] is online
    assert presence_of({("a", "p1"): old, ("a", "p3"): new})["a"] is new


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0.04149, 0.041), (0.0, 0.0), (123.4, 120.0), (-0.00456, -0.0046), (None, None), (float("nan"), None)],
)
def test_numbers_change_only_when_their_two_digits_do(value: float | None, rounded: float | None) -> None:
    """Noise below what a screen shows is no change; what is not a number is absent."""
    assert shown(value) == rounded


@pytest.mark.parametrize("chance", [0.0, 0.00004, 0.0049, 0.5, 0.845, 0.945, 0.9951, 0.996, 0.99999, 1.0])
def test_a_chance_reads_alike_on_the_wall_and_on_the_command_line(chance: float) -> None:
    """What the wall is sent is rounded by the catalogue's own rule: it reads as if it had never been rounded."""
    sent = made(Known(verdict(probability=chance))).probability
    assert form.percent("en", sent) == form.percent("en", chance)
    reason = Reason(code=ReasonCode.LOSS_UP, value=chance, unit="ratio")
    told = made(Known(verdict(state=State.AT_RISK, reasons=(reason,)))).why.value
    assert form.percent("hi", told) == form.percent("hi", chance)


def test_a_reason_that_others_share_names_its_cause() -> None:
    """The provider at fault, not 'trouble at other offices'; how many suffer is told at the foot."""
    factor = Factor(kind=FactorKind.PROVIDER, name="provider-b")
    reason = Reason(code=ReasonCode.SHARED_FAULT, value=11, limit=11, factor=factor)
    told = made(Known(verdict(state=State.AT_RISK, reasons=(reason,)))).why
    assert told == Why(code="shared_fault", cause=Cause(kind="provider", name="provider-b"))


def test_a_share_of_others_lines_is_sent_with_whose_they_are() -> None:
    """It is no shared fault, and has no cause."""
    theirs = Factor(kind=FactorKind.PROVIDER, name="provider-b")
    reason = Reason(code=ReasonCode.SHARED_FAULT, value=0.18, unit="ratio", among=theirs)
    told = made(Known(verdict(state=State.AT_RISK, reasons=(reason,)))).why
    named = Cause(kind="provider", name="provider-b")
    assert told == Why(code="shared_fault", value=0.18, unit="ratio", among=named)


def test_today_is_the_deployments_day() -> None:
    """Midnight is that of the zone, also on the day that summer time begins."""
    start, end = today_and_tomorrow(NOW_NS, "Asia/Kolkata")
    assert (start // SECOND_NS + 19_800) % 86_400 == 0
    assert end - start == 2 * DAY_NS
    berlin = 1_774_746_000 * SECOND_NS  # 29 March 2026, 03:00 CEST: this day has 23 hours
    start, end = today_and_tomorrow(berlin, "Europe/Berlin")
    assert end - start == 47 * HOUR_NS


def test_a_recurrence_has_one_name() -> None:
    """The name in an address is RFC 5545's, and leads back."""
    assert recurrence_name(NOW_NS) == "20261124T044750Z"
    assert recurrence_ns("20261124T044750Z") == NOW_NS
    for wrong in ("", "now", "20261124T044750", "2026-11-24T04:47:50Z", "20261324T044750Z"):
        with pytest.raises(ValueError, match=r"does not match|unconverted"):
            recurrence_ns(wrong)


def test_a_shared_fault_is_one_incident() -> None:
    """An incident of the state database is one line: its factor, its evidence, the offices that there are, who took it up."""
    sites = dict.fromkeys(
        ("a", "b"),
        Site(id="a", name_en="a", name_hi="a", region="r", lat=1, lon=1, status=SiteStatus.LINKED),
    )
    fault = DecidedIncident(
        id="1-0",
        factor=Factor(FactorKind.PROVIDER_REGION, "x", "r"),
        since_ns=5 * SECOND_NS,
        told_ns=6 * SECOND_NS,
        seen_ns=7 * SECOND_NS,
        sites=("a", "b", "gone"),
        evidence=Evidence(members=3, suffer=3, others=9, others_suffer=0, log_odds=9.0),
    )
    (one,) = incidents([fault], [], [], sites)
    assert (one.kind, one.name, one.region, one.sites) == ("provider_region", "x", "r", ("a", "b"))
    assert (one.suffer, one.members, one.others_suffer, one.others, one.since_ms) == (3, 3, 0, 9, 5000)
    assert (one.by, one.by_ms, one.until_ms) == ("", None, None)
    marks = [
        IncidentMark(incident="1-0", at_ns=n * SECOND_NS, who=who, note="")
        for n, who in ((8, "Asha"), (9, "Ravi"))
    ]
    (one,) = incidents([fault], [], marks, sites)
    assert (one.by, one.by_ms) == ("Asha", 8000)
    alert = Alert(
        id="K7M2PQ",
        kind=Kind.SHARED,
        state=AlertState.ACKNOWLEDGED,
        severity=Severity.WARNING,
        incident="1-0",
        since_ns=5,
        pending_ns=6,
        acknowledged_ns=7 * SECOND_NS,
        acknowledged_by="Meera",
        told=("noc-1", "noc-2"),
    )
    (one,) = incidents([fault], [alert], marks, sites)
    assert (one.by, one.by_ms, one.told, one.alert) == ("Meera", 7000, 2, "K7M2PQ")


def outcome(state: OutcomeState, occurrence_ns: int) -> Outcome:
    return Outcome(
        site="a",
        meeting="m",
        occurrence_ns=occurrence_ns,
        state=state,
        windows=1,
        broken=0,
        missing=0,
        settled_ns=1,
    )


def test_the_track_record_counts_what_came_true() -> None:
    """Right is the likelier side; dark counts as 0, unknown and unsettled not at all; Brier is the mean square."""
    cases = [
        (0.9, State.READY, OutcomeState.HELD),  # right, 0.01
        (0.8, State.AT_RISK, OutcomeState.FAILED),  # wrong, 0.64
        (None, State.NOT_READY, OutcomeState.FAILED),  # right, 0
        (None, State.UNKNOWN, OutcomeState.HELD),  # not counted
        (0.9, State.READY, OutcomeState.EXCUSED),  # not counted
    ]
    made_forecasts = [
        Forecast(horizon=Horizon.T30M, verdict=verdict(occurrence_ns=i, probability=p, state=s))
        for i, (p, s, _) in enumerate(cases)
    ]
    others = [Forecast(horizon=Horizon.T24H, verdict=verdict(occurrence_ns=0, probability=0.0))]
    scored = track(made_forecasts + others, [outcome(o, i) for i, (_, _, o) in enumerate(cases)])
    assert scored is not None
    assert (scored.of, scored.right, scored.brier) == (3, 2, pytest.approx(0.65 / 3, abs=0.001))


def test_no_settled_forecast_is_no_record() -> None:
    """Nothing is claimed before the first outcome."""
    assert track([Forecast(horizon=Horizon.T30M, verdict=verdict())], []) is None


def occurrence(uid: str, start_ns: int, invited: tuple[str, ...] = ("a",), hours: float = 1.0) -> Any:
    meeting = SimpleNamespace(uid=uid, invited=invited)
    ends_ns = start_ns + int(hours * HOUR_NS)
    return SimpleNamespace(meeting=meeting, recurrence_ns=start_ns, starts_ns=start_ns, ends_ns=ends_ns)


def test_the_next_meeting_is_the_first_to_start() -> None:
    """One that runs gives way to one that comes; it is the next only when none does; what is over never is."""
    over, runs = occurrence("over", NOW_NS - 2 * HOUR_NS), occurrence("runs", NOW_NS - HOUR_NS, hours=2)
    soon, late = occurrence("soon", NOW_NS + 1), occurrence("late", NOW_NS + HOUR_NS)
    assert next_occurrence([over, runs, late, soon], NOW_NS) is soon
    assert next_occurrence([over, runs], NOW_NS) is runs
    assert next_occurrence([over], NOW_NS) is None


def test_the_weak_offices_of_a_meeting_come_worst_first() -> None:
    """State, then probability, then id; planned offices and ready ones are not weak; no verdict is unknown."""
    names = ["ready", "risk-70", "risk-61", "dark", "bad-b", "bad-a", "none", "planned"]
    sites = {
        name: Site(
            id=name,
            name_en=name,
            name_hi=name,
            region="r",
            lat=1,
            lon=1,
            status=SiteStatus.PLANNED if name == "planned" else SiteStatus.LINKED,
        )
        for name in names
    }
    dark = (Reason(code=ReasonCode.DARK),)
    verdicts = {
        "ready": verdict(site="ready"),
        "risk-70": verdict(site="risk-70", state=State.AT_RISK, probability=0.7),
        "risk-61": verdict(site="risk-61", state=State.AT_RISK, probability=0.61),
        "dark": verdict(site="dark", state=State.NOT_READY, probability=None, reasons=dark),
        "bad-a": verdict(site="bad-a", state=State.NOT_READY, probability=0.3),
        "bad-b": verdict(site="bad-b", state=State.NOT_READY, probability=0.3),
    }
    found = weak(occurrence("m", NOW_NS, tuple(names)), verdicts, sites)
    assert [one.site for one in found] == ["dark", "bad-a", "bad-b", "risk-61", "risk-70", "none"]
    assert found[-1].shade is Shade.UNKNOWN
