"""Flags, verdicts, forecasts and outcomes on record."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from telemetry.decisions import (
    Action,
    Evidence,
    Factor,
    FactorKind,
    Flag,
    Forecast,
    Horizon,
    Incident,
    OutcomeState,
    Reason,
    ReasonCode,
    State,
    Verdict,
)
from telemetry.state.db import StateDb
from telemetry.state.flags import FlagSpell, key_of


def test_a_flag_is_raised_once_kept_while_it_is_said_and_cleared_when_it_is_not(state, flag) -> None:
    """The same (site, path, reason) is one spell, whatever its numbers do meanwhile."""
    first = flag(since_ns=100)
    worse = flag(since_ns=100, seen_ns=300, severe=True)
    changes = state.put_flags([first], 130)
    assert (changes.raised, changes.kept, changes.cleared) == ((first,), (), ())
    changes = state.put_flags([worse], 145)
    assert (changes.raised, changes.kept, changes.cleared) == ((), (worse,), ())
    assert state.open_flags() == [worse]
    changes = state.put_flags([], 160)
    assert (changes.raised, changes.kept, changes.cleared) == ((), (), (worse,))
    assert state.open_flags() == []
    assert state.flag_history(0, 1_000) == [FlagSpell(worse, 130, 160)]


def test_another_path_site_or_reason_is_another_flag(state, flag) -> None:
    """Flags of one office do not clear each other."""
    flags = [flag(), flag("etah"), flag(path="main.national"), flag(code=ReasonCode.RTT)]
    assert state.put_flags(flags, 200).raised == tuple(flags)
    assert state.put_flags(flags[:1], 215).cleared == tuple(flags[1:])


def test_a_flag_that_comes_again_is_a_new_spell(state, flag) -> None:
    """History keeps both; only the second is open."""
    state.put_flags([flag(since_ns=100)], 130)
    state.put_flags([], 200)
    again = flag(since_ns=300)
    assert state.put_flags([again], 330).raised == (again,)
    assert [(s.raised_ns, s.cleared_ns) for s in state.flag_history(0, 1_000)] == [(130, 200), (330, None)]


@pytest.mark.parametrize(
    ("from_ns", "until_ns", "found"),
    [
        (0, 100, 0),
        (0, 101, 1),
        (150, 160, 1),
        (199, 500, 1),
        (200, 500, 0),
        (300, 301, 1),
        (10_000, 10_001, 1),
    ],
)
def test_flag_history_is_of_the_spells_that_overlap(state, flag, from_ns, until_ns, found) -> None:
    """From the start of the trouble to its clearing; open spells reach into the future."""
    state.put_flags([flag(since_ns=100)], 130)
    state.put_flags([], 200)
    if from_ns >= 300:
        state.put_flags([flag(since_ns=250)], 290)
    assert len(state.flag_history(from_ns, until_ns)) == found


@given(
    rounds=st.lists(
        st.sets(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(list(ReasonCode)[:4])), max_size=5),
        max_size=8,
    )
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_flags_follow_any_sequence_like_a_plain_set(rounds, tmp_path_factory) -> None:
    """Raised, kept and cleared partition what was and what is; the open ones are the last said."""
    state = StateDb(tmp_path_factory.mktemp("flags") / "state.db")
    before: set[tuple[str, str, str]] = set()
    for n, wanted in enumerate(rounds):
        flags = [
            Flag(site=site, path="p.e", reason=Reason(code=code), since_ns=n, seen_ns=n)
            for site, code in wanted
        ]
        changes = state.put_flags(flags, n * 10)
        now = {key_of(flag) for flag in flags}
        assert {key_of(flag) for flag in changes.raised} == now - before
        assert {key_of(flag) for flag in changes.kept} == now & before
        assert {key_of(flag) for flag in changes.cleared} == before - now
        assert {key_of(flag) for flag in state.open_flags()} == now
        before = now
    state.close()


def test_a_verdict_takes_the_place_of_the_one_before(state, verdict) -> None:
    """One current verdict for each (site, meeting, occurrence), read back whole, by start of the occurrence."""
    whole = verdict(
        state=State.NOT_READY,
        probability=0.25,
        path="main.state",
        reasons=(
            Reason(code=ReasonCode.LOSS_UP, value=0.05, limit=0.01, usual=0.0, unit="ratio", since_ns=5),
        ),
        best_profile="sd",
        action=Action.SECOND_LINE,
        model="m1",
    )
    later = verdict(starts_ns=5_000)
    state.put_verdicts([later, verdict(), verdict("etah")])
    state.put_verdicts([whole])
    assert state.verdicts(0, 10_000) == [whole, verdict("etah"), later]
    assert state.verdicts(1_000, 1_001) == [whole, verdict("etah")]
    assert state.verdicts(1_001, 5_000) == []


def test_a_forecast_is_issued_once_and_never_changed(state, verdict) -> None:
    """A second one for the same horizon is not taken, whatever it says."""
    first = Forecast(horizon=Horizon.T2H, verdict=verdict(probability=0.9))
    second = Forecast(horizon=Horizon.T2H, verdict=verdict(probability=0.1, issued_ns=99))
    other = Forecast(horizon=Horizon.T30M, verdict=verdict(probability=0.5))
    assert state.issue_forecasts([first]) == 1
    assert state.issue_forecasts([second, other, other]) == 1
    assert state.forecasts(0, 10_000) == [first, other]
    assert state.forecasts(1_001, 10_000) == []


def test_a_moved_occurrence_voids_what_was_said_of_it(state, verdict) -> None:
    """Verdicts go, forecasts stay on record as void; of the new time new ones are issued."""
    before, after = verdict(starts_ns=1_000), verdict(starts_ns=3_000, occurrence_ns=1_000)
    other = verdict(starts_ns=1_000, occurrence_ns=777)
    old = Forecast(horizon=Horizon.T2H, verdict=before)
    new = Forecast(horizon=Horizon.T2H, verdict=after)
    state.put_verdicts([before, other])
    state.issue_forecasts([old, Forecast(horizon=Horizon.T2H, verdict=other)])
    state.void("weekly@hq", 1_000, 50)
    assert state.verdicts(0, 10_000) == [other]
    assert [f.verdict for f in state.forecasts(0, 10_000)] == [other]
    assert state.forecasts(0, 10_000, voided=True) == [old]
    assert state.issue_forecasts([new]) == 1
    state.put_verdicts([after])
    assert state.verdicts(0, 10_000) == [other, after]
    assert state.forecasts(2_000, 10_000) == [new]
    assert state.forecasts(0, 10_000, voided=True) == [old]


def test_sites_that_are_no_longer_invited_are_voided_alone(state, verdict) -> None:
    """The others' verdicts and forecasts stand."""
    verdicts = [verdict("agra"), verdict("etah"), verdict("ballia")]
    state.put_verdicts(verdicts)
    state.issue_forecasts([Forecast(horizon=Horizon.T24H, verdict=v) for v in verdicts])
    state.void("weekly@hq", 1_000, 50, sites=["etah"])
    assert [v.site for v in state.verdicts(0, 10_000)] == ["agra", "ballia"]
    assert [f.verdict.site for f in state.forecasts(0, 10_000)] == ["agra", "ballia"]
    state.void("weekly@hq", 1_000, 50, sites=[])
    assert len(state.verdicts(0, 10_000)) == 2


def test_an_outcome_may_change_until_it_is_final(state, outcome) -> None:
    """Late data settles it; after that nothing does."""
    state.put_outcomes([outcome(state=OutcomeState.UNSETTLED)])
    final = outcome(state=OutcomeState.FAILED, broken=9, final=True)
    state.put_outcomes([final])
    state.put_outcomes([outcome(state=OutcomeState.HELD)])
    assert state.outcomes(0, 10_000) == [final]


def test_outcomes_are_found_by_the_start_of_the_meeting(state, verdict, outcome) -> None:
    """Also when it was moved away from its place in the series."""
    state.put_verdicts([verdict(starts_ns=5_000, occurrence_ns=1_000)])
    moved, plain = outcome(occurrence_ns=1_000), outcome("etah", occurrence_ns=2_000)
    state.put_outcomes([moved, plain])
    assert state.outcomes(5_000, 5_001) == [moved]
    assert state.outcomes(0, 5_000) == [plain]


def test_decisions_of_a_newer_version_are_read_as_far_as_they_are_known(state, verdict) -> None:
    """An unknown field of a stored struct is ignored."""
    state.put_verdicts([verdict()])
    state._connection.execute('UPDATE verdict SET body = replace(body, \'"site"\', \'"mood":3,"site"\')')
    assert state.verdicts(0, 10_000) == [verdict()]
    assert isinstance(state.verdicts(0, 10_000)[0], Verdict)


def test_an_incident_is_one_row_until_it_is_over(state) -> None:
    """It may be renamed and grow; when it is over it is found by the time that it lasted."""
    evidence = Evidence(members=3, suffer=3, others=9, others_suffer=0, log_odds=9.5)
    first = Incident(
        id="1-0",
        factor=Factor(FactorKind.PROVIDER_REGION, "x", "r"),
        since_ns=100,
        told_ns=120,
        seen_ns=120,
        sites=("a", "b"),
        evidence=evidence,
    )
    state.put_incidents([first])
    assert state.open_incidents() == [first]
    revision = state.revision()
    state.put_incidents([first])
    assert state.revision() == revision
    grown = replace(first, factor=Factor(FactorKind.PROVIDER, "x"), sites=("a", "b", "c"))
    state.put_incidents([grown])
    assert state.open_incidents() == state.incidents(0, 1_000) == [grown]
    over = replace(grown, until_ns=300)
    state.put_incidents([over])
    assert state.open_incidents() == []
    assert state.incidents(200, 1_000) == [over]
    assert state.incidents(300, 1_000) == []
