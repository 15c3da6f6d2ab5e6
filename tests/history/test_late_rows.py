"""An imported slot of which some rows came late: in the store all of it counts, a replay sees what had come when the slot was told."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from analytics.lines import Lines
from config.load import load_config
from config.profiles import Limits
from reports.past.slots import read_slots
from tatpar.importing.importer import LONGEST_ID, late_name
from telemetry.store.open import open_reader
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Desk

    from analytics.forecast.slots import SlotGrid

T0 = 1_795_392_000 * SECOND_NS
SLOTS = 24
CUT, BACK = 8 * 20 + 7, 12 * 20
"""Windows from the one, in the middle of a slot, up to the other come hours later, some of them an hour after the rest."""
LIMITS = (Limits(rtt_ms=100.0), Limits(rtt_ms=300.0))
MAPPING = """
[time]
column = "t"
format = "unix_ns"
[arrived]
column = "came"
format = "unix_ns"
[path]
is = "main.state"
[ping]
rtt = { column = "rtt" }
"""


def rows(*, as_told: bool) -> str:
    """A ping a window: every fifth before the cut is slow, and all that come late. `as_told`: without those that come when their slot has been told."""
    out = ["t,came,rtt"]
    for window in range(SLOTS * 20):
        late, again = CUT <= window < BACK, window % 10 == 3
        at_ns = T0 + window * WINDOW_NS
        came_ns = T0 + 5 * HOUR_NS + again * HOUR_NS if late else at_ns + WINDOW_NS + SECOND_NS
        missed = late and (window // 20 == CUT // 20 or again)
        if not (missed and as_told):
            out.append(f"{at_ns},{came_ns},{200 if late or window % 5 == 0 else 40}")
    return "\n".join(out) + "\n"


def imported(desk: Desk) -> list[dict[str, int]]:
    """Agra has all rows, etah those alone that had come when their slots were told; what the command says of each."""
    mapping = desk.writes("m.toml", MAPPING)
    said = []
    for site, as_told in (("agra", False), ("etah", True)):
        file = desk.writes(f"{site}.csv", rows(as_told=as_told))
        done = desk.imports([file], mapping, "--site", site, "--json")
        assert done.exit_code == 0, done.output
        (office,) = json.loads(done.stdout)["sites"]
        said.append(office)
    return said


def read(desk: Desk, *, as_closed: bool) -> SlotGrid:
    with contextlib.closing(open_reader(load_config(desk.config).settings.store, desk.data)) as reader:
        span = (T0, T0 + SLOTS * SLOT_NS)
        return read_slots(reader, Lines(("agra", "etah"), ("main.state",)), LIMITS, span, as_closed=as_closed)


def test_a_replay_sees_neither_rows_that_come_late_nor_that_they_will(desk: Desk) -> None:
    """Both offices read alike to it; to everybody else the one has all its windows."""
    imported(desk)
    told = read(desk, as_closed=True)
    for name in ("measured", "received_ns", "broken"):
        late, never = (getattr(told, name)[..., site, 0, :].tolist() for site in (0, 1))
        assert late == never, name
    assert told.measured[0, 0, 7:13].tolist() == [20, 7, 18, 18, 18, 20]
    assert (told.received_ns[0, 0, 9:12] == T0 + 5 * HOUR_NS + 60 * SECOND_NS).all()
    whole = read(desk, as_closed=False)
    assert (whole.measured[0, 0] == 20).all()
    assert (whole.received_ns[0, 0, 8:12] >= T0 + 5 * HOUR_NS).all()


def test_a_slot_counts_once_whatever_came_late_of_it(desk: Desk) -> None:
    """In what the command says, and when it is imported again."""
    first = imported(desk)
    again = imported(desk)
    assert [each["slots"] for each in first] == [SLOTS, SLOTS]
    assert [each["replaced"] for each in first + again] == [0, 0, SLOTS, SLOTS]
    table = desk.rollups()
    assert len(table) == SLOTS + 4
    assert set(table.probes) == {"imported", "imported-late"}


def test_of_a_window_some_of_whose_packets_come_late_a_replay_sees_the_others(desk: Desk) -> None:
    """Three packets a window; the last of each comes hours later, and is slow. Whoever looks back counts the window once, as the two of it that came first have it; all packets are counted."""
    mapping = desk.writes("m.toml", MAPPING)
    for site, as_told in (("agra", False), ("etah", True)):
        lines = ["t,came,rtt"]
        for packet in range(SLOTS * 60):
            late, at_ns = packet % 3 == 2, T0 + packet * WINDOW_NS // 3
            came_ns = at_ns + 2 * HOUR_NS if late else at_ns + SECOND_NS
            if not (late and as_told):
                lines.append(f"{at_ns},{came_ns},{200 if late or packet % 15 == 0 else 40}")
        done = desk.imports([desk.writes(f"{site}.csv", "\n".join(lines) + "\n")], mapping, "--site", site)
        assert done.exit_code == 0, done.output
    told, whole = read(desk, as_closed=True), read(desk, as_closed=False)
    for name in ("measured", "received_ns", "broken"):
        late_too, never = (getattr(told, name)[..., site, 0, :].tolist() for site in (0, 1))
        assert late_too == never, name
    assert told.broken[0, 0, 0].tolist() == [4] * SLOTS
    assert (whole.measured[0, 0] == 20).all()
    assert whole.broken[0, 0, 0].tolist() == [4] * SLOTS
    assert (whole.received_ns[0, 0] > T0 + 2 * HOUR_NS).all()
    assert int(desk.rollups("agra").columns["sent"].sum()) == SLOTS * 60


def test_the_name_of_what_came_late_is_an_id() -> None:
    assert late_name("imported") == "imported-late"
    assert len(late_name("x" * LONGEST_ID)) == LONGEST_ID
