"""Questions about what was decided, about live calls and rehearsals: the real engines answer what state and reports say."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import urllib3

from dashboards.grafana import influxql, promql, rules
from dashboards.grafana.ask import Ask, How, Whom
from dashboards.grafana.health import METRICS
from dashboards.grafana.marks import ANNOTATIONS
from dashboards.grafana.panels import Desk
from dashboards.grafana.questions import QUESTIONS
from dashboards.grafana.rules import RULES
from dashboards.grafana.speech import speech_of
from telemetry.state.db import StateDb
from telemetry.store.protocol import Received
from telemetry.store.server.decided import day_tag, meeting_tag
from telemetry.store.server.points import Family
from telemetry.windows import DAY_NS, MS_NS, WINDOW_NS
from tests.deploy.test_rules import exported
from tests.grafana import standin
from tests.grafana.decided_rows import (
    CALLS,
    FROM_MS,
    REHEARSAL,
    RUNNING,
    START,
    STEP_MS,
    UNTIL_MS,
    Row,
    rows_of,
)
from tests.grafana.decisions import (
    INCIDENT,
    NOW,
    REHEARSED,
    SITES,
    config_of,
    fill,
    mirror,
    verdict,
)
from tests.telemetry.store.conftest import T0, Fleet
from tests.telemetry.store.servers import by_hand, ship_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Store
    from tatpar.watching.mirror import Mirror
    from tests.telemetry.store.servers import Servers

EDGE_MS = 20
ASKED = sorted(name for name, ask in QUESTIONS.items() if not isinstance(ask.family, Family))
OF_NOBODY = {"meeting_unknown", "pace_needed"}
"""Of no office is nothing known, and no day is named: no engine says 0."""
OBSERVATION = Path(__file__).parents[2] / "collector" / "observation"


class Filled:
    """A server with a morning on it."""

    def __init__(self, settings: Store) -> None:
        self.settings, self.rows = settings, rows_of(settings)

    def asked(self, query: str, *, over_range: bool, until_ms: int = UNTIL_MS, **more: str) -> standin.Series:
        """What Grafana would get."""
        variables = {
            "site": "agra",
            "region": "|".join(SITES),
            **dict.fromkeys(("path", "meeting", "horizon", "profile", "area"), ".*"),
        } | more
        text = standin.filled(query, FROM_MS, until_ms, STEP_MS, variables)
        if self.settings.kind == "influxdb1":
            return standin.influxql(self.settings.url, self.settings.bucket, text)
        first, last = FROM_MS - EDGE_MS, until_ms - EDGE_MS
        found = standin.promql(self.settings.url, text, first, last, None if over_range else STEP_MS)
        return {
            tags: {at + EDGE_MS - STEP_MS: value for at, value in row.items()} for tags, row in found.items()
        }

    def query(self, ask: Ask) -> str:
        language = influxql if self.settings.kind == "influxdb1" else promql
        return language.query(ask, self.settings.prefix)

    def answered(self, ask: Ask, **more: str) -> standin.Series:
        found = self.asked(self.query(ask), over_range=ask.over_range, **more)
        if ask.over_range:
            return {group: {0: next(iter(row.values()))} for group, row in found.items()}
        return found


def note_past(mirror: Mirror, settings: Store) -> None:
    """An office a week in the west, for three weeks."""
    sites = config_of(settings).registry.sites
    west = sum(site.region == "west" and site.status.value == "linked" for site in sites)
    for weeks in (1, 2, 3):
        mirror._book.note_linked(NOW // DAY_NS - 7 * weeks, {"west": west - weeks}, 730)


@pytest.fixture(scope="module", params=["victoriametrics", "influxdb1"])
def filled(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Filled:
    """Decisions through the mirror, calls and a rehearsal through the store."""
    settings = servers.settings(request.param)
    folder: Path = tmp_path_factory.mktemp("decided")
    envelope = Fleet().envelope("agra", 1, START, (*CALLS, REHEARSAL))
    with closing(by_hand(settings, folder)) as store:
        store.append([Received(envelope, envelope.start_ns + WINDOW_NS)])
        ship_all(store, servers)
    with closing(StateDb(folder / "state.db")) as state:
        fill(state)
        state.put_verdicts([RUNNING])
        with mirror(settings, folder, state) as m:
            note_past(m, settings)
            m.step(NOW)
            assert m.detail()["mirror_rejected"] == 0
    servers.flush()
    return Filled(settings)


def expected(ask: Ask, rows: list[Row]) -> standin.Series:
    """The same by plain arithmetic."""
    groups: dict[tuple[str, ...], dict[int, list[tuple[float, float]]]] = {}
    for tags, fields, time_ms in rows:
        value, ends_s = fields.get(ask.field), fields.get("ends_s")
        if ask.between and (value is None or not ask.between[0] <= value <= ask.between[1]):
            continue
        over = ask.ahead and ends_s is not None and ends_s <= UNTIL_MS // 1000
        if value is None or over or (ask.whom is Whom.SITE and tags["site"] != "agra"):
            continue
        at = 0 if ask.over_range else (time_ms - FROM_MS) // STEP_MS * STEP_MS + FROM_MS
        under = fields[ask.under] if ask.under else 1
        assert under is not None
        group = tuple(tags[name] for name in sorted(ask.by))
        groups.setdefault(group, {}).setdefault(at, []).append((value, under))
    return {g: {at: figure(ask, pairs) for at, pairs in steps.items()} for g, steps in groups.items()}


def figure(ask: Ask, pairs: list[tuple[float, float]]) -> float:
    values = np.array([value for value, _ in pairs])
    made: dict[How, Callable[[], Any]] = {
        How.MEAN: values.mean,
        How.MAX: values.max,
        How.MIN: values.min,
        How.SUM: values.sum,
        How.COUNT: lambda: len(values),
        How.LAST: lambda: values[-1],
        How.RATIO: lambda: values.sum() / sum(under for _, under in pairs),
    }
    return float(made[ask.how]()) * ask.times


@pytest.mark.parametrize("name", ASKED)
def test_a_question_gives_what_was_decided(filled: Filled, name: str) -> None:
    """Same groups, same steps, same numbers; what is over is not ahead."""
    ask = QUESTIONS[name]
    found, wanted = filled.answered(ask), expected(ask, filled.rows[ask.family])
    if ask.how is How.COUNT:  # InfluxDB counts 0 where there is nothing, Prometheus is silent
        found = {group: {at: n for at, n in steps.items() if n} for group, steps in found.items()}
    assert wanted or name in OF_NOBODY
    assert found.keys() == wanted.keys()
    for group, steps in wanted.items():
        assert found[group] == pytest.approx(steps, rel=1e-9), group


def test_variables_narrow(filled: Filled) -> None:
    """One meeting, one horizon, one profile, one region's offices."""
    assert not filled.answered(QUESTIONS["verdict_state"], meeting="m000x")
    one = day_tag(NOW), meeting_tag(verdict("agra", 0.9).meeting)
    assert filled.answered(QUESTIONS["meeting_invited"], region="agra|etah") == {one: {0: 2}}
    assert filled.answered(QUESTIONS["meeting_ready"], region="mathura|etah") == {}
    assert filled.answered(QUESTIONS["incident_offices"], region="etah|mathura") == {
        (str(INCIDENT.factor),): {0: 1}
    }
    assert not filled.answered(QUESTIONS["incident_open"], region="mathura")
    assert set(filled.answered(QUESTIONS["rollout_linked"], area="west")) == {("west",)}
    assert set(filled.answered(QUESTIONS["verdict_state"], region="agra")) == {
        (day_tag(NOW), meeting_tag(verdict("agra", 0.9).meeting), "agra")
    }
    assert set(filled.answered(QUESTIONS["score_brier"], horizon="T-2h")) == {("T-2h",)}
    assert set(filled.answered(QUESTIONS["limit_loss"], profile="video-720p")) == {("video-720p",)}


@pytest.mark.parametrize("name", sorted(ANNOTATIONS))
def test_annotations_lie_where_it_began(filled: Filled, name: str) -> None:
    """Each kind of beginning is found at its time, in the step that holds it."""
    query = ANNOTATIONS[name].query(filled.settings.kind, filled.settings.prefix)
    found = filled.asked(query, over_range=False)
    began = {
        "meetings": RUNNING.starts_ns,
        "incidents": INCIDENT.since_ns,
        "rehearsals": T0 + START * WINDOW_NS,
        "fleet_rehearsals": REHEARSED.starts_ns[0],
    }[name]
    times = [at // STEP_MS for row in found.values() for at in row]
    assert times == [began // MS_NS // STEP_MS]


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_alert_rule_sees_every_office(filled: Filled, name: str) -> None:
    """A rule's query runs as it stands, without anything of a viewer, and says of each office what the question says."""
    settings = filled.settings
    desk = Desk(config_of(settings), speech_of(settings), "en")
    found = filled.asked(rules.query(desk, name), over_range=True, until_ms=NOW // MS_NS + 240_000)
    ask = QUESTIONS[RULES[name].question]
    if isinstance(ask.family, Family):
        return  # no windows here: that it runs is what is tested
    wanted = expected(ask, filled.rows[ask.family])
    assert {group[-1]: next(iter(row.values())) for group, row in found.items() if group[-1] in SITES} == {
        group[0]: steps[0] for group, steps in wanted.items()
    }


def test_the_collectors_own_names_are_asked(servers: Servers) -> None:
    """Each expression of the health dashboard runs on the engine and finds the series that a collector exports."""
    server = servers.of("victoriametrics")
    named = set(re.findall(r"tatpar_\w+", " ".join(expr for expr, _ in METRICS.values())))
    observed = "".join(file.read_text(encoding="utf-8") for file in OBSERVATION.glob("*_metrics.py"))
    assert all(name in set(exported()) or f'"{name}"' in observed for name in named)
    lines = []
    for second in range(0, 300, 15):
        at_ms = NOW // MS_NS + 1000 * second
        for name in sorted(named):
            tags = '{le="1",reason="clock",role="watch"}'
            lines += [f"{name}{tags} {second} {at_ms}"]
            lines += [f"{name}{tags.replace('1', '+Inf')} {second} {at_ms}"] if "bucket" in name else []
    body = "\n".join(lines).encode()
    answer = urllib3.request("POST", f"{server.url}/api/v1/import/prometheus", body=body, retries=False)
    assert answer.status == 204
    servers.flush()
    until_ms = NOW // MS_NS + 300_000
    for name, (expr, _) in METRICS.items():
        assert standin.promql(server.url, expr, until_ms - 60_000, until_ms, None), name
