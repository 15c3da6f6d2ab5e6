"""The floor of a line whose tool wrote no median; and no round trip where nothing came back."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.floor import ABOVE, NO_REPLY_MS
from analytics.lines import Lines
from config.load import load_config
from config.profiles import Limits
from reports.past.floors import floors_at, rollups_to_judge
from telemetry.store.open import open_reader
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Desk

END_NS = (time.time_ns() - DAY_NS) // HOUR_NS * HOUR_NS
"""The last hour, which the floor does not count, begins here."""
LINES = Lines(("agra",), ("main.state",))
LIMITS = Limits(rtt_above_floor_ms=15.0)
FIGURES = {
    "rtt_min": (38.0, 338.0),
    "rtt_mean": (40.0, 340.0),
    "rtt_p50": (39.0, 339.0),
    "rtt_max": (45.0, 345.0),
}
"""Each figure on its good days, and in the last hour."""


def imports(desk: Desk, figures: tuple[str, ...], rows: list[tuple[int, int, list[float]]]) -> None:
    """Rows of time in seconds, loss in percent and the figures."""
    columns = "".join(f'{name} = {{ column = "{name}" }}\n' for name in figures)
    mapping = (
        '[time]\ncolumn = "t"\nformat = "unix_s"\n[site]\nis = "agra"\n[path]\nis = "main.state"\n[summary]\n'
        f'cadence_s = 15\nsent = {{ is = 3 }}\nloss = {{ column = "loss", unit = "pct" }}\n{columns}'
    )
    text = "".join(f"{at},{loss},{','.join(map(str, values))}\n" for at, loss, values in rows)
    file = desk.writes("a.csv", f"t,loss,{','.join(figures)}\n{text}")
    done = desk.imports([file], desk.writes("m.toml", mapping))
    assert done.exit_code == 0, done.output


def a_day_and_an_hour(
    figures: tuple[str, ...], *, zeros_when_lost: bool = False
) -> list[tuple[int, int, list[float]]]:
    """Every two minutes; the last hour is 300 ms slower. Every tenth row of the day is lost, if asked with zeros beside it."""
    rows = []
    for at in range((END_NS - DAY_NS) // SECOND_NS, (END_NS + HOUR_NS) // SECOND_NS, 120):
        lost = zeros_when_lost and at // 120 % 10 == 0 and at * SECOND_NS < END_NS
        values = [0.0 if lost else FIGURES[name][at * SECOND_NS >= END_NS] for name in figures]
        rows.append((at, 100 if lost else 0, values))
    return rows


def floor_and_above(desk: Desk) -> tuple[float, set[float]]:
    """The floor of the last hour, and how far its windows lie above it."""
    with contextlib.closing(open_reader(load_config(desk.config).settings.store, desk.data)) as reader:
        floor = floors_at(reader, LINES, (LIMITS,), END_NS)
        table = rollups_to_judge(reader, LINES, (LIMITS,), Selection(END_NS, END_NS + HOUR_NS))
    assert floor is not None
    above = table.window_values[ABOVE]
    return float(floor[0, 0]), set(above[np.isfinite(above)].tolist())


@pytest.mark.parametrize(
    ("figures", "floor_ms"),
    [
        (("rtt_min", "rtt_mean", "rtt_max"), 40.0),
        (("rtt_min", "rtt_max"), 38.0),
        (("rtt_min", "rtt_mean", "rtt_p50", "rtt_max"), 39.0),
    ],
)
def test_a_line_has_a_floor_of_what_its_tool_writes(
    desk: Desk, figures: tuple[str, ...], floor_ms: float
) -> None:
    """The median, or else the mean as of Telegraf, or else the least; an hour 300 ms above it is judged so."""
    imports(desk, figures, a_day_and_an_hour(figures))
    assert floor_and_above(desk) == (floor_ms, {345.0 - floor_ms})


def test_a_round_trip_of_0_beside_a_whole_loss_is_none(desk: Desk) -> None:
    """As Zabbix writes it: no floor of 0, and a window of which nothing came back has no round trip."""
    figures = ("rtt_min", "rtt_mean", "rtt_max")
    rows = a_day_and_an_hour(figures, zeros_when_lost=True)
    imports(desk, figures, rows)
    assert floor_and_above(desk) == (40.0, {305.0})
    table = desk.rollups()
    assert table.columns["rtt_min_ms"][table.columns["received"] > 0].min() == 38.0
    lost = table.window_values["lost"] == 3
    assert lost.sum() == sum(loss == 100 for _, loss, _ in rows) > 60
    assert np.isnan(table.window_values["rtt_p95_ms"][lost]).all()


def test_what_stands_beside_a_whole_loss_is_no_round_trip_either(desk: Desk) -> None:
    """As tools do that repeat their last figure."""
    rows = [(END_NS // SECOND_NS + 60 * minute, 100, [40.0]) for minute in range(5)]
    imports(desk, ("rtt_p50",), rows)
    assert np.isnan(desk.rollups().columns["rtt_p50_ms"]).all()
    assert floor_and_above(desk)[1] == {NO_REPLY_MS}
