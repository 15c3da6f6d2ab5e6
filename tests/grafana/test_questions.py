"""Each question, asked of the real engine that our own writer filled, gives the numbers that the store itself reads."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dashboards.grafana import influxql, promql
from dashboards.grafana.ask import Ask, Grain, How, Whom
from dashboards.grafana.questions import QUESTIONS
from telemetry.store.protocol import Selection
from telemetry.store.server.points import Family
from telemetry.windows import MS_NS, WINDOW_NS
from tests.grafana import standin
from tests.telemetry.store.conftest import T0, Fleet, rows_of
from tests.telemetry.store.servers import by_hand, ship_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from config.settings import Store
    from tests.telemetry.store.servers import Servers

WINDOWS = 24
STEP_MS = 60_000
FROM_MS = T0 // MS_NS
UNTIL_MS = FROM_MS + WINDOWS * (WINDOW_NS // MS_NS)
EDGE_MS = 15_000
"""PromQL's steps end at the start of their last window."""
SITES = ("agra", "mathura")
KINDS = ("victoriametrics", "influxdb1")


class Filled:
    """A store on a server, and its rows as the store reads them."""

    def __init__(self, settings: Store, url: str, rows: list[dict[str, Any]]) -> None:
        self.settings, self.url, self.rows = settings, url, rows

    def asked(self, ask: Ask, whom: str, path: str = ".*") -> standin.Series:
        """What Grafana would get."""
        variables = {ask.whom.value: whom, "path": path}
        if self.settings.kind == "influxdb1":
            text = influxql.query(ask, self.settings.prefix)
            text = standin.filled(text, FROM_MS, UNTIL_MS, STEP_MS, variables)
            return standin.influxql(self.url, self.settings.bucket, text)
        text = promql.query(ask, self.settings.prefix)
        text = standin.filled(text, FROM_MS, UNTIL_MS, STEP_MS, variables)
        first, last = FROM_MS - EDGE_MS, UNTIL_MS - EDGE_MS
        found = standin.promql(self.url, text, first, last, None if ask.over_range else STEP_MS)
        return {
            tags: {at + EDGE_MS - STEP_MS: value for at, value in row.items()} for tags, row in found.items()
        }


@pytest.fixture(scope="module", params=KINDS)
def stored(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Filled:
    """Two offices, two paths, six minutes with a hole of two; one office silent for the last minute."""
    settings = servers.settings(request.param)
    fleet = Fleet()
    folder: Path = tmp_path_factory.mktemp("grafana")
    with closing(by_hand(settings, folder)) as store:
        windows = [w for w in range(WINDOWS) if w not in {9, 10}]
        store.append(fleet.hours(SITES, windows[:-4]))
        store.append(fleet.hours(SITES[:1], windows[-4:]))
        ship_all(store, servers)
        rows = rows_of(store.streams(Selection(T0, T0 + WINDOWS * WINDOW_NS)))
    return Filled(settings, settings.url, rows)


def expected(ask: Ask, rows: list[dict[str, Any]], sites: tuple[str, ...]) -> standin.Series:
    """The same from the store's rows, by plain arithmetic."""
    groups: dict[tuple[str, ...], dict[int, list[tuple[float, float]]]] = {}
    for row in rows:
        ways = ("up", "down") if ask.family is Family.WINDOW_DIRECTION else ("",)
        for way in ways:
            if row["site"] not in sites:
                continue
            if ask.family is Family.REPORT and row["path"] != "main.state":
                continue  # what a report says once stands in the row of each of its paths
            column = f"{way}_" if way else ""
            newest = ask.field == "received_s"
            value = row["received_ns"] // 1_000_000_000 if newest else row[column + ask.field]
            if value is None:
                continue
            tags = {"site": row["site"], "path": row["path"], "probe": row["probe"], "direction": way}
            group = tuple(tags[name] for name in sorted(ask.by))
            at = 0 if ask.over_range else (row["start_ns"] // MS_NS - FROM_MS) // STEP_MS * STEP_MS + FROM_MS
            under = row[column + ask.under] if ask.under else 1
            groups.setdefault(group, {}).setdefault(at, []).append((value, under))
    return {g: {at: figure(ask, pairs) for at, pairs in steps.items()} for g, steps in groups.items()}


def figure(ask: Ask, pairs: list[tuple[float, float]]) -> float:
    values = np.array([value for value, _ in pairs])
    span_ms = UNTIL_MS - FROM_MS if ask.over_range else STEP_MS
    made: dict[How, Callable[[], float]] = {
        How.MEAN: values.mean,
        How.MAX: values.max,
        How.MIN: values.min,
        How.SUM: values.sum,
        How.COUNT: lambda: float(len(values)),
        How.RATIO: lambda: values.sum() / sum(under for _, under in pairs),
        How.PRESENT: lambda: len(values) / (span_ms / 15_000),
    }
    return float(made[ask.how]()) * ask.times


MEASURED = sorted(
    name
    for name, ask in QUESTIONS.items()
    if isinstance(ask.family, Family) and ask.grain is not Grain.ROLLUPS
)
"""The others are asked in `test_decided_questions` and `test_long_spans`."""


@pytest.mark.parametrize("name", MEASURED)
def test_a_question_gives_what_the_store_reads(stored: Filled, name: str) -> None:
    """Same groups, same steps, same numbers; a hole is a hole."""
    ask = QUESTIONS[name]
    sites = SITES if ask.whom is Whom.REGION else SITES[:1]
    found = stored.asked(ask, "|".join(sites))
    wanted = expected(ask, stored.rows, sites)
    if ask.over_range:
        found = {group: {0: next(iter(row.values()))} for group, row in found.items()}
    assert found.keys() == wanted.keys()
    assert wanted
    for group, steps in wanted.items():
        assert found[group] == pytest.approx(steps, rel=1e-9), group


def test_one_end_is_asked_alone(stored: Filled) -> None:
    """The variable of the path narrows a question to the lines to one end."""
    whole = stored.asked(QUESTIONS["rtt_p50"], SITES[0])
    assert set(whole) == {("main.national",), ("main.state",)}
    found = stored.asked(QUESTIONS["rtt_p50"], SITES[0], ".*[.]national")
    assert found == {("main.national",): whole["main.national",]}
