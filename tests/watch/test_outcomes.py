"""Outcomes of meetings, from what the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from config.live import ReloadOutcome
from telemetry.decisions import OutcomeState
from telemetry.messages import Stream
from telemetry.store.protocol import Received
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Town

    from telemetry.decisions import Outcome

MINUTES = 10
WINDOWS = MINUTES * 4


@pytest.fixture
def over(town: Town) -> Town:
    """A meeting of ten minutes in which agra lost 5 %, ballia vanished (contact lost), unnao reported nothing for a while."""
    town.meet(town.meeting("short", 0.0, minutes=MINUTES))
    town.play(2)
    town.break_line("agra", up=0.08)
    for window in range(WINDOWS):
        start = town.t0 + window * WINDOW_NS
        away = {"ballia"} if window >= 20 else set()
        away |= {"unnao"} if 10 <= window < 20 else set()
        sites = tuple(s for s in ("agra", "meerut", "ballia", "unnao") if s not in away)
        town.report(start, start + 20 * SECOND_NS, sites)
    town.heal("agra")
    town.now_ns = town.t0 + 20 * WINDOW_NS
    town.presence("ballia", online=False)
    town.now_ns = town.t0 + (MINUTES + 2) * 60 * SECOND_NS
    town.watch.step(town.now_ns)
    return town


def outcomes(town: Town) -> dict[str, Outcome]:
    return {each.site: each for each in town.state.outcomes(0, 2**62)}


def test_interim_outcomes_follow_the_meeting(over: Town) -> None:
    """Soon after the end: failed and held where no late window can turn it, unsettled where one can; nothing for a planned office."""
    assert over.watch.settle(over.now_ns) >= 1
    found = outcomes(over)
    assert set(found) == {"agra", "meerut", "ballia", "unnao"}
    assert {site: each.state for site, each in found.items()} == {
        "agra": OutcomeState.FAILED,
        "meerut": OutcomeState.HELD,
        "ballia": OutcomeState.UNSETTLED,
        "unnao": OutcomeState.UNSETTLED,
    }
    assert not any(each.final for each in found.values())
    assert (found["meerut"].windows, found["meerut"].broken, found["meerut"].missing) == (WINDOWS, 0, 0)
    assert found["ballia"].missing == 20


def test_what_a_late_window_may_turn_is_not_held_yet(town: Town) -> None:
    """One window of forty is missing, and of the three after it none proves its loss of 1.3 %: with the late one each does, and the meeting failed."""
    town.meet(town.meeting("short", 0.0, minutes=MINUTES))
    town.play(2)
    starts = [town.t0 + window * WINDOW_NS for window in range(WINDOWS)]
    for window, start in enumerate(starts):
        if window != 10:
            lose(town, start, start + 20 * SECOND_NS, 2 if 10 < window < 14 else 0)
    town.now_ns = town.t0 + (MINUTES + 2) * 60 * SECOND_NS
    town.watch.step(town.now_ns)
    town.watch.settle(town.now_ns)
    first = outcomes(town)
    assert (first["agra"].state, first["agra"].broken, first["agra"].missing) == (
        OutcomeState.UNSETTLED,
        0,
        1,
    )
    assert (first["meerut"].state, first["meerut"].missing) == (OutcomeState.HELD, 1)
    lose(town, starts[10], town.now_ns, 30)
    town.watch.settle(town.now_ns + HOUR_NS)
    last = outcomes(town)
    assert (last["agra"].state, last["agra"].broken) == (OutcomeState.FAILED, 4)
    assert last["meerut"].state is OutcomeState.HELD


def lose(town: Town, start_ns: int, received_ns: int, up_lost: int) -> None:
    """A window of Agra, in which so many packets were lost on the way up, and of Meerut, in which none was."""
    town.report(start_ns, received_ns, ("meerut",))
    made = town.envelope("agra", start_ns)
    items = tuple(
        structs.replace(
            item,
            received=item.sent - up_lost,
            lost=up_lost,
            up=structs.replace(item.up, received=item.sent - up_lost, lost=up_lost),
            down=structs.replace(item.down, sent=item.sent - up_lost, received=item.sent - up_lost),
            rtt=structs.replace(item.rtt, hist=(item.rtt.hist[0], item.sent - up_lost)) if item.rtt else None,
        )
        for item in made.items
        if isinstance(item, Stream)
    )
    town.store.append([Received(envelope=structs.replace(made, items=items), received_ns=received_ns)])


def test_final_outcomes_after_a_day(over: Town) -> None:
    """A day later the windows that never came count where contact was lost, and what came late is in."""
    over.watch.settle(over.now_ns)
    for window in range(10, 20):
        start = over.t0 + window * WINDOW_NS
        over.report(start, over.now_ns, sites=("unnao",))
    later = over.t0 + MINUTES * 60 * SECOND_NS + DAY_NS
    assert over.watch.settle(later) >= 1
    found = outcomes(over)
    assert found["ballia"].state is OutcomeState.FAILED
    assert found["ballia"].broken == 20
    assert (found["unnao"].state, found["unnao"].missing) == (OutcomeState.HELD, 0)
    assert all(each.final for each in found.values())
    assert over.watch.settle(later + HOUR_NS) == 0


def test_an_office_that_is_linked_after_a_meeting_was_not_in_it(over: Town) -> None:
    """Nor does one that is taken out of the list leave it: its outcome becomes final with the others'."""
    over.watch.settle(over.now_ns)
    before = set(outcomes(over))
    rows = (over.folder / "sites.csv").read_text(encoding="utf-8").replace(",planned", ",linked").splitlines()
    kept = [row for row in rows if not row.startswith("meerut,")]
    assert len(kept) == len(rows) - 1
    (over.folder / "sites.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert over.live.refresh().outcome is ReloadOutcome.CHANGED
    assert "jhansi" in {site.id for site in over.live.current.registry.linked()}
    assert over.watch.settle(over.t0 + MINUTES * 60 * SECOND_NS + DAY_NS) >= 1
    found = outcomes(over)
    assert set(found) == before
    assert all(each.final for each in found.values())
    assert found["meerut"].state is OutcomeState.HELD


def test_an_outcome_tells_outages_from_what_was_poor(over: Town) -> None:
    """Ballia was not heard for five of ten minutes, unnao said nothing and had contact; agra lost some of its packets, never all."""
    over.watch.settle(over.now_ns)
    told = {site: (each.lost, each.unheard) for site, each in outcomes(over).items()}
    assert told == {"agra": (0, 0), "meerut": (0, 0), "ballia": (0, 20), "unnao": (0, 0)}


def test_an_office_that_lost_everything_for_a_while_had_an_outage(town: Town) -> None:
    """Every packet of eight windows was lost, its probe reported all the time."""
    town.meet(town.meeting("short", 0.0, minutes=MINUTES))
    town.play(2)
    for window in range(WINDOWS):
        start = town.t0 + window * WINDOW_NS
        town.break_line("agra", up=1.0 if 10 <= window < 18 else 0.0)
        town.report(start, start + 20 * SECOND_NS, ("agra", "meerut"))
    town.now_ns = town.t0 + (MINUTES + 2) * 60 * SECOND_NS
    town.watch.step(town.now_ns)
    town.watch.settle(town.now_ns)
    found = outcomes(town)["agra"]
    assert (found.state, found.broken, found.lost, found.rest) == (OutcomeState.FAILED, 8, 8, (0, 0))


def test_outcomes_come_from_roll_ups_where_windows_are_gone(over: Town) -> None:
    """When only roll-ups are left, as of emulated history, the outcome is the same."""
    over.watch.settle(over.now_ns)
    before = {site: (each.broken, each.missing) for site, each in outcomes(over).items()}
    later = over.t0 + 3 * DAY_NS
    while over.store.maintain(later):
        pass
    reader = over.watch._settler.reader
    over.watch._settler.reader = OnlyRollups(reader)  # type: ignore[assignment]
    over.watch.settle(over.now_ns + HOUR_NS)
    assert {site: (each.broken, each.missing) for site, each in outcomes(over).items()} == before


@pytest.mark.parametrize(
    ("works", "state", "broken"),
    [
        ("site:ballia,works,2026-11-23 11:35,2026-11-23 11:40,2026-11-20 09:00", OutcomeState.HELD, 0),
        ("site:ballia,holiday,2026-11-23 11:35,2026-11-23 11:39,2026-11-20 09:00", OutcomeState.FAILED, 4),
        ("end:state,works,2026-11-23 11:35,2026-11-23 11:40,2026-11-20 09:00", OutcomeState.HELD, 0),
        ("end:national,works,2026-11-23 11:35,2026-11-23 11:40,2026-11-20 09:00", OutcomeState.FAILED, 20),
        ("site:agra,works,2026-11-23 11:30,2026-11-23 11:40,2026-11-20 09:00", OutcomeState.FAILED, 20),
    ],
)
def test_announced_works_excuse_what_is_missing_and_not_what_broke(
    over: Town, works: str, state: OutcomeState, broken: int
) -> None:
    """Ballia was silent for the meeting's second five minutes: works there or at its end explain them, others do not; agra broke anyhow."""
    (over.folder / "works.csv").write_text(f"who,kind,from,until,announced\n{works}\n", encoding="utf-8")
    assert over.live.refresh()
    over.watch.settle(over.t0 + MINUTES * 60 * SECOND_NS + DAY_NS)
    found = outcomes(over)
    assert (found["ballia"].state, found["ballia"].broken, found["ballia"].missing) == (state, broken, 20)
    assert found["agra"].state is OutcomeState.FAILED


class OnlyRollups:
    """A reader whose windows are past their retention."""

    def __init__(self, reader: object) -> None:
        self._reader = reader

    def streams(self, selection: object, **choice: object) -> object:
        empty = type(selection)(0, 1)  # type: ignore[call-arg]
        return self._reader.streams(empty, **choice)  # type: ignore[attr-defined]

    def rollups(self, selection: object, **choice: object) -> object:
        return self._reader.rollups(selection, **choice)  # type: ignore[attr-defined]

    def latest(self) -> object:
        return self._reader.latest()  # type: ignore[attr-defined]
