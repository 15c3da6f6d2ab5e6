"""An office was without contact for minutes and comes back: what its spool, or its silence, tells of that counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import ReasonCode, State
from telemetry.store.protocol import Selection
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS
from tests.watch.asked import asked_of
from tests.watch.conftest import LINKED, UNDERWAY_NS

if TYPE_CHECKING:
    from conftest import Town

    from telemetry.decisions import Verdict

HOURS_BEFORE = 10
STEP_S = 2.5
MENDED_S = 600
"""The past is brought up so often."""
WELL_S = 80
"""After the heal: the filter calls the line sound."""
STAYED_S = 300
"""From here on it has not only just come back."""
ABOUT = 0.02


def remember(town: Town) -> None:
    """Some hours of sound lines, and a meeting at 12:30."""
    town.meet(town.meeting("review", 1.0))
    town.remember(town.now_ns - HOURS_BEFORE * HOUR_NS, town.now_ns, LINKED)
    town.watch.step(town.now_ns)
    town.watch.refresh_past(town.now_ns)
    town.play(120, step_s=STEP_S)


def cut_off(town: Town, seconds: float, *, sites: tuple[str, ...] = ("agra",)) -> int:
    """Nothing comes of some offices for so long; since when, ns."""
    began_ns = town.now_ns
    for site in sites:
        town.presence(site, online=False)
    town.offline.update(sites)
    while seconds > 0:
        town.play(min(seconds, MENDED_S), step_s=STEP_S)
        seconds -= MENDED_S
        if seconds > 0:
            mend(town)
    town.offline.difference_update(sites)
    for site in sites:
        town.presence(site, online=True)
    town.play(5, step_s=STEP_S)
    return began_ns


def send_what_is_spooled(town: Town, since_ns: int) -> None:
    """All windows of Agra that are not stored; those of the last minute come in time."""
    stored = town.reader.streams(Selection(since_ns - HOUR_NS, town.now_ns), histograms=False)
    came = stored.columns["start_ns"][stored.columns["site"] == stored.sites.index("agra")]
    first_ns = (since_ns - UNDERWAY_NS) // WINDOW_NS * WINDOW_NS - WINDOW_NS
    for start_ns in range(first_ns, town.now_ns - UNDERWAY_NS - WINDOW_NS, WINDOW_NS):
        if start_ns not in came:
            town.report(start_ns, town.now_ns, sites=("agra",))


def line_fails(town: Town, seconds: float) -> int:
    """Nothing comes through for so long, neither the call nor what is reported of it; since when, ns."""
    town.break_line("agra", up=1.0)
    began_ns = cut_off(town, seconds)
    town.heal("agra")
    send_what_is_spooled(town, began_ns)
    return began_ns


def mend(town: Town) -> None:
    """The past is brought up to now."""
    while town.store.maintain(town.now_ns):
        pass
    town.watch.refresh_past(town.now_ns)
    town.play(STEP_S, step_s=STEP_S)


def agree(town: Town) -> Verdict:
    """The verdict of now, which is that of a mended past and of whoever asks beside the watch: in word, and about in number."""
    live = town.verdict("agra")
    mend(town)
    mended, asked = town.verdict("agra"), asked_of(town, "agra", "12:30")
    assert [live.state] * 2 == [mended.state, asked.state]
    assert mended.probability == pytest.approx(live.probability, abs=ABOUT)
    assert asked.probability == pytest.approx(live.probability, abs=ABOUT)
    return live


@pytest.mark.parametrize("minutes", [6, 14])
def test_an_outage_of_minutes_is_not_forgiven(town: Town, minutes: int) -> None:
    """Of its windows four came in time, and those alone would be: the chance is that of the whole outage, at once and after the mend, and *ready* only once the line has stayed for five minutes."""
    remember(town)
    before = town.verdict("agra").probability
    line_fails(town, 60 * minutes)
    town.play(WELL_S, step_s=STEP_S)
    live = agree(town)
    assert before is not None
    assert live.probability is not None
    assert live.probability < before - ABOUT
    assert live.state is State.AT_RISK
    assert town.flags() == {}
    town.play(STAYED_S, step_s=STEP_S)
    assert agree(town).state is State.READY


def test_a_short_outage_stays_forgiven(town: Town) -> None:
    """Of two minutes, half of it out of the spool."""
    remember(town)
    before = town.verdict("agra").probability
    line_fails(town, 105)
    town.play(WELL_S + 30, step_s=STEP_S)
    live = agree(town)
    assert live.state is State.READY
    assert live.probability == pytest.approx(before, abs=ABOUT)


def test_a_line_that_carried_all_is_ready(town: Town) -> None:
    """The probe could not report for ten minutes, and what it kept says that all was well."""
    remember(town)
    before = town.verdict("agra").probability
    began_ns = cut_off(town, 600)
    send_what_is_spooled(town, began_ns)
    town.play(WELL_S, step_s=STEP_S)
    live = agree(town)
    assert live.state is State.READY
    assert live.probability == pytest.approx(before, abs=ABOUT)


def test_a_power_cut_is_silence_before_and_after_the_mend(town: Town) -> None:
    """Nothing was measured and nothing comes: the slots that are empty are those of an office that was waited for."""
    remember(town)
    before = town.verdict("agra").probability
    cut_off(town, 590)
    town.play(WELL_S, step_s=STEP_S)
    live = agree(town)
    assert before is not None
    assert live.probability is not None
    assert live.probability < before - ABOUT
    assert live.state is State.AT_RISK
    assert live.reasons[0].code is ReasonCode.RECENT_FAULT
    assert live.reasons[0].until_ns == pytest.approx(town.now_ns - WELL_S * SECOND_NS, abs=2 * WINDOW_NS)
    town.play(STAYED_S, step_s=STEP_S)
    assert agree(town).state is State.READY


def test_when_nobody_is_heard_it_is_nobodys_fault(town: Town) -> None:
    """The hub hears no office for eight minutes; each keeps what was said of it."""
    remember(town)
    before = {site: town.verdict(site).probability for site in LINKED}
    town.offline.update(LINKED)
    town.play(480, step_s=STEP_S)
    town.offline.clear()
    town.play(WELL_S, step_s=STEP_S)
    agree(town)
    for site in LINKED:
        assert town.verdict(site).state is State.READY
        assert town.verdict(site).probability == pytest.approx(before[site], abs=ABOUT)


def test_what_came_late_is_beside_what_came_in_time(town: Town) -> None:
    """A window that came late gives way to one in time, and leaves the ring with it."""
    remember(town)
    current = town.watch._current
    assert current is not None
    ring = current.ring
    assert ring.with_late() is ring.recent()
    cut_off(town, 120)
    start_ns = town.now_ns // WINDOW_NS * WINDOW_NS - 7 * WINDOW_NS
    assert start_ns + WINDOW_NS + 60 * SECOND_NS < town.now_ns
    town.report(start_ns, town.now_ns, sites=("agra",))
    town.play(STEP_S, step_s=STEP_S)
    at = int((start_ns - ring.recent().start_ns[0]) // WINDOW_NS)
    site = ring.lines.site_index["agra"]
    assert not ring.recent().present[site, :, at].any()
    assert ring.with_late().present[site, :, at].all()
    town.report(start_ns, start_ns + WINDOW_NS + SECOND_NS, sites=("agra",))
    town.play(STEP_S, step_s=STEP_S)
    at = int((start_ns - ring.recent().start_ns[0]) // WINDOW_NS)
    assert ring.recent().present[site, :, at].all()
    assert ring.with_late() is ring.recent()


def test_the_reason_is_the_whole_outage(town: Town) -> None:
    """From its own beginning and for its own length, not of the last minute that came in time; at each look and also beside the watch."""
    remember(town)
    began_ns = line_fails(town, 480)
    healed_ns = town.now_ns
    town.play(WELL_S, step_s=STEP_S)
    for verdict in (agree(town), asked_of(town, "agra", "12:30")):
        reason = verdict.reasons[0]
        assert reason.code is ReasonCode.OUTAGE
        assert not reason.unseen
        assert reason.since_ns == pytest.approx(began_ns, abs=2 * WINDOW_NS)
        assert reason.until_ns == pytest.approx(healed_ns, abs=2 * WINDOW_NS)
        assert reason.value == pytest.approx(480, abs=30)
