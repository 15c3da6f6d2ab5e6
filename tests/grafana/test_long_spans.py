"""Spans of more than a day are asked of roll-ups, shorter ones of windows: one of a pair answers, with what the store reads."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.grafana import influxql, promql
from dashboards.grafana.ask import FINE_MS, SLOT_WINDOWS, Ask, Grain, How
from dashboards.grafana.questions import LONG, QUESTIONS
from telemetry.store.protocol import Selection
from telemetry.store.server.points import Family
from telemetry.windows import HOUR_NS, MS_NS, SLOT_NS, WINDOW_NS
from tests.grafana import standin
from tests.telemetry.store.conftest import T0, Fleet, rows_of
from tests.telemetry.store.servers import by_hand, ship_all

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Store
    from tests.telemetry.store.servers import Servers

STEP_MS = SLOT_NS // MS_NS
UNTIL_MS = T0 // MS_NS + 4 * STEP_MS
SHORT = UNTIL_MS - FINE_MS, UNTIL_MS
LONGER = UNTIL_MS - FINE_MS - STEP_MS, UNTIL_MS
NAMES = sorted(name for name, ask in QUESTIONS.items() if ask.grain is Grain.ROLLUPS)


class Filled:
    """Four slots, one of them with a hole and made again for late reports."""

    def __init__(self, settings: Store, rows: list[dict[str, Any]]) -> None:
        self.settings, self.rows = settings, rows

    def asked(self, ask: Ask, span: tuple[int, int]) -> standin.Series:
        """What Grafana would get."""
        variables, (from_ms, until_ms) = {"site": "agra", "path": ".*"}, span
        if self.settings.kind == "influxdb1":
            text = standin.filled(
                influxql.query(ask, self.settings.prefix), from_ms, until_ms, STEP_MS, variables
            )
            return standin.influxql(self.settings.url, self.settings.bucket, text)
        text = standin.filled(promql.query(ask, self.settings.prefix), from_ms, until_ms, STEP_MS, variables)
        # a step ends with the slot that begins there: as Grafana asks, on the grid
        return standin.promql(self.settings.url, text, from_ms - STEP_MS, until_ms - STEP_MS, STEP_MS)


@pytest.fixture(scope="module", params=["victoriametrics", "influxdb1"])
def filled(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Filled:
    """On each kind of server."""
    settings = servers.settings(request.param)
    return Filled(settings, fill(settings, servers, tmp_path_factory.mktemp("long")))


def fill(settings: Store, servers: Servers, folder: Path) -> list[dict[str, Any]]:
    """One office, twenty minutes; windows of the second slot come when its roll-up was shipped already. The store's roll-ups."""
    fleet = Fleet()
    late = range(SLOT_WINDOWS + 3, SLOT_WINDOWS + 6)
    with closing(by_hand(settings, folder)) as store:
        windows = [w for w in range(4 * SLOT_WINDOWS) if w not in late and w != SLOT_WINDOWS + 9]
        store.append(fleet.hours(("agra",), windows))
        store.maintain(T0 + HOUR_NS)
        ship_all(store, servers)
        store.append(fleet.hours(("agra",), late))
        store.maintain(T0 + 2 * HOUR_NS)
        ship_all(store, servers)
        rows = rows_of(store.rollups(Selection(T0, T0 + 4 * SLOT_NS)))
    assert [row["windows"] for row in rows if row["path"] == "main.state"] == [20, 19, 20, 20]
    return rows


def expected(ask: Ask, rows: list[dict[str, Any]]) -> standin.Series:
    """From the store's own roll-ups; a step holds one."""
    found: standin.Series = {}
    for row in rows:
        for way in ("up", "down") if ask.family is Family.ROLLUP_DIRECTION else ("",):
            column = f"{way}_" if way else ""
            value = row[column + ask.field]
            if value is None:
                continue
            if ask.how is How.PRESENT:
                value /= SLOT_WINDOWS
            if ask.how is How.RATIO:
                value /= row[column + ask.under]
            tags = {"path": row["path"], "direction": way}
            group = tuple(tags[name] for name in sorted(ask.by))
            found.setdefault(group, {})[row["slot_ns"] // MS_NS] = value
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_long_span_gives_the_rollups(filled: Filled, name: str) -> None:
    """Each slot's newest version, at its own time; its percentiles are those of its merged histogram."""
    found, wanted = filled.asked(QUESTIONS[name], LONGER), expected(QUESTIONS[name], filled.rows)
    assert wanted
    assert found.keys() == wanted.keys()
    for group, steps in wanted.items():
        assert found[group] == pytest.approx(steps, rel=1e-9), group


def test_one_of_a_pair_answers(filled: Filled) -> None:
    """Up to a day the windows, beyond it the roll-ups, never both and never neither."""
    for name in NAMES:
        fine, long = QUESTIONS[name.removesuffix(LONG)], QUESTIONS[name]
        assert filled.asked(fine, SHORT), name
        assert not filled.asked(long, SHORT), name
        assert not filled.asked(fine, LONGER), name


def test_every_step_of_fifteen_seconds_has_its_window(filled: Filled) -> None:
    """At the finest zoom no step is empty while its neighbour has two, although points lie up to 15 ms behind their start."""
    if filled.settings.kind == "influxdb1":
        return  # names an interval by its beginning: nothing to lose
    ask, step_ms = QUESTIONS["present"], WINDOW_NS // MS_NS
    text = promql.query(ask, filled.settings.prefix)
    variables = {"site": "agra", "path": "main.state"}
    text = standin.filled(text, T0 // MS_NS, UNTIL_MS, step_ms, variables)
    found = standin.promql(filled.settings.url, text, T0 // MS_NS - step_ms, UNTIL_MS - step_ms, step_ms)
    assert set(found["main.state",].values()) == {1.0}
    assert len(found["main.state",]) == 4 * SLOT_WINDOWS - 1
