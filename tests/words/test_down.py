"""A line that is down now: first what is and since when, then what is expected."""

from __future__ import annotations

import pytest
from msgspec import structs

from analytics.verdicts import what_is_first
from telemetry.decisions import (
    Action,
    Evidence,
    Factor,
    FactorKind,
    Incident,
    Reason,
    ReasonCode,
    State,
    Verdict,
    down_now,
)
from telemetry.words import say_action, say_down, say_incident, say_not_ready, say_state

SINCE = 1_764_000_000_000_000_000
OUTAGE = Reason(code=ReasonCode.OUTAGE, value=180.0, unit="s", path="main.state", since_ns=SINCE)
USUAL = Reason(code=ReasonCode.USUAL_HOUR, value=0.3, unit="ratio")
SHARED = Reason(
    code=ReasonCode.SHARED_FAULT,
    value=8.0,
    limit=11.0,
    factor=Factor(FactorKind.PROVIDER, "p"),
    since_ns=SINCE,
)
OVER = structs.replace(OUTAGE, until_ns=SINCE + 60 * 10**9)


def verdict(state: State, *reasons: Reason) -> Verdict:
    return Verdict(
        site="agra", meeting="m", occurrence_ns=1, starts_ns=1, ends_ns=2, profile="p", issued_ns=1,
        state=state, probability=0.72, reasons=reasons,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ((USUAL, OUTAGE), (OUTAGE, USUAL)),
        ((SHARED, USUAL, OUTAGE), (SHARED, OUTAGE, USUAL)),
        ((USUAL, OVER), (USUAL, OVER)),
        ((), ()),
    ],
)
def test_what_is_comes_before_what_only_lowers_the_chance(
    told: tuple[Reason, ...], wanted: tuple[Reason, ...]
) -> None:
    """That the line is down goes to the front, behind the cause that explains it; an outage that is over stays where it was."""
    assert what_is_first(told) == wanted


@pytest.mark.parametrize("code", ReasonCode)
def test_only_a_silent_line_is_down(code: ReasonCode) -> None:
    """Nothing comes through or nothing is heard, since a time that is known, and not over."""
    down = {ReasonCode.OUTAGE, ReasonCode.NO_DATA, ReasonCode.DARK}
    reason = Reason(code=code, since_ns=SINCE)
    assert (down_now((USUAL, reason)) is reason) == (code in down)
    assert down_now((Reason(code=code),)) is None
    assert down_now((structs.replace(reason, until_ns=SINCE + 1),)) is None


def test_the_chance_is_called_what_it_is() -> None:
    """Down and since when, then that it is back and holds, in both languages; without a number only what is."""
    assert say_down("en", OUTAGE, 0.72).replace("\u00a0", " ") == (
        "Line is down, since 21:30 · 72 % that it is back and holds"
    )
    assert say_down("hi", OUTAGE, 0.72).replace("\u00a0", " ") == (
        "लाइन बंद, 21:30 से · ठीक होकर मीटिंग चलने की संभावना 72 %"
    )
    assert say_down("en", OUTAGE, None) == "Line is down, since 21:30"


@pytest.mark.parametrize(
    ("found", "english", "hindi"),
    [
        (verdict(State.AT_RISK, OUTAGE), "Line is down · at risk", "लाइन बंद · जोखिम में"),
        (verdict(State.AT_RISK, OVER), "at risk", "जोखिम में"),
        (verdict(State.READY), "ready", "तैयार"),
        (verdict(State.NOT_READY, structs.replace(OUTAGE, code=ReasonCode.DARK)), "no contact", "संपर्क नहीं"),
        (
            verdict(State.AT_RISK, structs.replace(OUTAGE, code=ReasonCode.DARK)),  # a meeting of tomorrow
            "No contact · at risk",
            "संपर्क नहीं · जोखिम में",
        ),
    ],
)
def test_the_word_of_a_dead_line_begins_with_that(found: Verdict, english: str, hindi: str) -> None:
    """`at risk` alone beside a dead line would read as if it still ran."""
    assert (say_state("en", found), say_state("hi", found)) == (english, hindi)


def test_who_has_no_contact_is_counted_among_those_who_are_not_ready() -> None:
    """The rows say `no contact` and the wall counts them apart: the heading says how many of the not ready they are."""
    dark = verdict(State.NOT_READY, structs.replace(OUTAGE, code=ReasonCode.DARK))
    tomorrow = structs.replace(dark, state=State.AT_RISK)
    found = [dark, dark, verdict(State.NOT_READY, OUTAGE), tomorrow, verdict(State.READY)]
    assert say_not_ready("en", found) == "3 not ready (2 of them no contact)"
    assert say_not_ready("hi", found) == "3 तैयार नहीं (इनमें 2 से संपर्क नहीं)"
    assert say_not_ready("en", found[2:]) == "1 not ready"


@pytest.mark.parametrize(
    ("sites", "english", "hindi"),
    [
        (11, "(11 of 11 offices)", "(11 में से 11 कार्यालय)"),
        (3, "(now 3 of 11 offices, at its worst 11)", "(अभी 11 में से 3 कार्यालय, सबसे ज़्यादा 11)"),
        (0, "(just ending: now 0 of 11 offices, at its worst 11)", "(ख़त्म हो रही है: अभी 11 में से 0 कार्यालय"),
    ],
)
def test_a_fault_that_ends_is_not_told_at_its_strongest(sites: int, english: str, hindi: str) -> None:
    """How many suffer now, and how many did; of one that is over how many did."""
    lasting = Incident(
        id="i", factor=Factor(FactorKind.PROVIDER, "p"), since_ns=SINCE, told_ns=SINCE, seen_ns=SINCE,
        sites=tuple(f"s{number}" for number in range(sites)),
        evidence=Evidence(members=11, suffer=11, others=40, others_suffer=0, log_odds=9.0),
    )  # fmt: skip
    assert english in say_incident("en", lasting)
    assert hindi in say_incident("hi", lasting)
    over = structs.replace(lasting, until_ns=SINCE + 1)
    assert "(11 of 11 offices)" in say_incident("en", over)


@pytest.mark.parametrize(
    ("action", "kind", "over", "english"),
    [
        (Action.CALL_PROVIDER, FactorKind.REGION, False, "find out what has failed in the region"),
        (Action.CALL_PROVIDER, FactorKind.REGION, True, "call the provider"),
        (Action.CALL_PROVIDER, FactorKind.PROVIDER, False, "call the provider"),
        (Action.AUDIO_ONLY, FactorKind.REGION, False, "join with audio only"),
        (Action.NONE, FactorKind.REGION, False, ""),
    ],
)
def test_a_regions_fault_is_no_single_providers(
    action: Action, kind: FactorKind, over: bool, english: str
) -> None:
    """While it lasts its offices' advice is that of its mail, and not to call one provider; whoever can join with less still does."""
    fault = structs.replace(SHARED, factor=Factor(kind, "braj"), until_ns=SINCE + 1 if over else None)
    found = structs.replace(verdict(State.NOT_READY, fault, OUTAGE), action=action)
    assert say_action("en", found).startswith(english)
    assert bool(say_action("hi", found)) is bool(english)
