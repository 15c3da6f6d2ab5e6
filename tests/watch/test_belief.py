"""A probe that claims trouble of its own again and again is believed less each time: its line does not look sound for ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs

from analytics.lines import Lines
from analytics.own_trouble import MOST_WINDOWS
from tatpar.__main__ import main
from tatpar.verdicts import better_time
from tatpar.watching.belief import REGAINED, Belief
from tatpar.watching.ring import RING_WINDOWS, WindowRing
from telemetry.decisions import ReasonCode, State
from telemetry.messages import SelfReport, Stream
from telemetry.state.db import StateDb
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Received, Selection
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS
from tests.telemetry.store.conftest import T0, Fleet
from tests.watch.conftest import Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telemetry.messages import Envelope
    from telemetry.store.tables import StreamTable

PATH = "main.state"
HALF_HOURS = 4
STEP = 20
"""Windows between two looks."""


def half_hours() -> MemoryStore:
    """The first ten minutes of each are lost on the way back, and the probe says that its own socket dropped it."""
    fleet, store = Fleet(), MemoryStore()
    sound, bad = (
        structs.replace(fleet.stream(PATH, sent=150, lost=lost), straddled=0) for lost in ((0, 0), (0, 60))
    )
    for seq in range(HALF_HOURS * RING_WINDOWS):
        is_bad = seq % RING_WINDOWS < MOST_WINDOWS
        envelope = fleet.envelope("agra", seq, items=(bad if is_bad else sound,))
        envelope = structs.replace(envelope, self_report=SelfReport(rx_drops=60 * is_bad))
        store.append([Received(envelope, envelope.start_ns + WINDOW_NS)])
    return store


def test_ten_minutes_of_each_half_hour_are_not_believed_for_ever() -> None:
    """The first ten are; of those of later half hours a few windows, and the claim is marked. New settings forgive nothing."""
    store, lines = half_hours(), Lines(("agra",), (PATH,))

    def stored(since_ns: int, until_ns: int) -> StreamTable:
        return store.streams(Selection(since_ns, until_ns), histograms=False)

    ring = WindowRing(lines, T0)
    shown, marked = [], []
    for seq in range(0, HALF_HOURS * RING_WINDOWS, STEP):
        at_ns, now_ns = T0 + seq * WINDOW_NS, T0 + (seq + STEP) * WINDOW_NS
        ring.take(stored(at_ns, now_ns), now_ns)
        recent = ring.recent()
        if (seq + STEP) % RING_WINDOWS == MOST_WINDOWS:  # the end of ten bad minutes
            lost = recent.values["lost"][0, 0, -MOST_WINDOWS - 1 : -1]
            shown.append(int((lost > 0).sum()))
            claims = ring.not_believed()
            marked.append(claims is not None and bool(claims[0, 0]))
        if seq == 2 * RING_WINDOWS:  # the operator changes something
            before, ring = ring, WindowRing(lines, now_ns)
            ring.take(stored(now_ns - RING_WINDOWS * WINDOW_NS, now_ns), now_ns)
            ring.recall(before)
    assert shown[0] == 0
    assert all(count >= MOST_WINDOWS - 2 * RING_WINDOWS * REGAINED for count in shown[1:]), shown
    assert marked == [True] * HALF_HOURS  # at the end of the first ten minutes nothing is left


def test_what_was_believed_outlives_a_restart(tmp_path: Path) -> None:
    """Written down when a claim is believed, and read again later: as much is believed as if the ring had run on."""
    store, lines = half_hours(), Lines(("agra",), (PATH,))
    ring, kept, written = WindowRing(lines, T0), StateDb(tmp_path / "state.db"), 0
    for seq in range(STEP, HALF_HOURS * RING_WINDOWS, STEP):
        now_ns = T0 + seq * WINDOW_NS
        ring.take(store.streams(Selection(now_ns - STEP * WINDOW_NS, now_ns), histograms=False), now_ns)
        ring.recent()
        news = ring.believed_anew()
        if news is not None:
            kept.put_beliefs(news)
            written += 1
        again = WindowRing(lines, now_ns)
        again.take(
            store.streams(Selection(now_ns - RING_WINDOWS * WINDOW_NS, now_ns), histograms=False), now_ns
        )
        again.remember(kept.beliefs())
        assert again._belief.room() == ring._belief.room()
        shown = [each.recent().values["lost"][0, 0] for each in (again, ring)]
        np.testing.assert_array_equal(*shown)
    assert written >= HALF_HOURS
    assert again._belief.room().item() < MOST_WINDOWS
    kept.close()


class Claiming(Town):
    """Agra's probe puts each lost packet down to its own socket."""

    def envelope(self, site: str, start_ns: int) -> Envelope:
        made = super().envelope(site, start_ns)
        lost = max(item.down.lost for item in made.items if isinstance(item, Stream) and item.down)
        return structs.replace(made, self_report=SelfReport(rx_drops=2 * lost if site == "agra" else 0))


@pytest.fixture
def claiming(tmp_path: Path) -> Iterator[Town]:
    """Ten bad minutes are claimed and believed, then half an hour is sound."""
    town = Claiming(tmp_path)
    town.meet(town.meeting("review", 1.4, who="site:agra"))
    town.break_line("agra", down=0.4)
    town.play(10 * 60, step_s=5)
    assert town.verdict("agra").state is State.UNKNOWN
    town.heal("agra")
    town.play(32 * 60, step_s=5)
    assert town.verdict("agra").state is State.READY
    yield town
    town.close()


def test_a_hub_that_starts_anew_still_knows_the_claims(claiming: Town) -> None:
    """The next ten bad minutes are not believed as the first were, though the watch was started in between."""
    claiming.restart()
    claiming.break_line("agra", down=0.4)
    claiming.play(4 * 60, step_s=5)
    verdict = claiming.verdict("agra")
    assert verdict.state is State.NOT_READY
    assert [reason.code for reason in verdict.reasons][-1] is ReasonCode.PROBE_FAULT


def test_who_asks_for_another_time_knows_the_claims_too(
    claiming: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tatpar ready --at` stands on what the watch has believed, not on its own last half hour alone."""
    claiming.break_line("agra", down=0.4)
    claiming.play(10 * 60, step_s=5)
    watched = claiming.verdict("agra")
    at = datetime.fromtimestamp(claiming.now_ns // SECOND_NS + 1200, UTC)
    where = ["--config", str(claiming.folder / "tatpar.toml"), "--data", str(claiming.folder)]
    monkeypatch.setattr(better_time, "time", SimpleNamespace(time_ns=lambda: claiming.now_ns))
    done = CliRunner().invoke(
        main, ["ready", *where, "--at", f"{at:%Y-%m-%dT%H:%M}+00:00", "--meeting", "review", "--json"]
    )
    assert done.exit_code == 0, done.output
    (asked,) = json.loads(done.stdout)["times"]
    assert watched.state is State.NOT_READY
    assert (asked["unknown"], asked["ready"]) == (0, 0), asked


def test_belief_comes_back() -> None:
    """An hour in a day: ten minutes of trouble are believed again after four hours, five minutes a day always."""
    belief = Belief((1, 1), RING_WINDOWS)
    places = np.arange(RING_WINDOWS)
    windows = np.zeros((1, 1, RING_WINDOWS), dtype=bool)
    windows[..., :MOST_WINDOWS] = True
    assert belief.room().item() == MOST_WINDOWS
    belief.left_out(windows, places)
    assert belief.room().item() == MOST_WINDOWS  # they are in the ring, where they are counted
    belief.advance(places, RING_WINDOWS)
    assert belief.room().item() == RING_WINDOWS * REGAINED
    four_hours = 4 * HOUR_NS // WINDOW_NS
    belief.advance(places, four_hours - RING_WINDOWS)
    assert belief.room().item() == MOST_WINDOWS
    belief.advance(places, four_hours)
    assert belief.room().item() == MOST_WINDOWS
