"""Every question and mark in Flux on an engine that speaks it; by hand, since no package of the tests' machine has one.

    go install github.com/influxdata/influxdb/cmd/influxd@v1.8.0     # with CGO_ENABLED=0
    python -m tests.grafana.by_hand_flux ~/go/bin/influxd

InfluxDB 1.8 answers Flux at /api/v2/query and takes the same line protocol as 1.6.7. Prints a line a question, ends with 1 when one differs.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import urllib3

from dashboards.grafana import flux
from dashboards.grafana.ask import Grain
from dashboards.grafana.marks import ANNOTATIONS
from dashboards.grafana.questions import QUESTIONS
from telemetry.state.db import StateDb
from telemetry.store.protocol import Received, Selection
from telemetry.store.server.points import Family
from telemetry.windows import WINDOW_NS
from tests.grafana import decided_rows
from tests.grafana import test_decided_questions as decided
from tests.grafana import test_long_spans as long
from tests.grafana import test_questions as measured
from tests.grafana.decisions import NOW, fill, mirror
from tests.telemetry.store.conftest import T0, Fleet, rows_of
from tests.telemetry.store.servers import Influx1, Servers, by_hand, ship_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Store
    from dashboards.grafana.ask import Ask
    from tests.grafana.standin import Series


class Influx18(Influx1):
    """1.8 with Flux."""

    binary = ""

    def command(self) -> Sequence[str]:
        """The same settings, and Flux."""
        _, *rest = super().command()
        settings = self.folder / "influxdb.conf"
        settings.write_text(settings.read_text().replace("[http]\n", "[http]\nflux-enabled = true\n"))
        return [self.binary, *rest]


def asked(settings: Store, script: str, by: Sequence[str], span: tuple[int, int, int]) -> Series:
    """What the engine answers, a variable a text as Grafana fills it in."""
    from_ms, until_ms, step_ms = span
    for name, text in {
        "v.timeRangeStart": datetime.fromtimestamp(from_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
        "v.timeRangeStop": datetime.fromtimestamp(until_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
        "v.windowPeriod": f"{step_ms}ms",
        f'bucket: "{settings.bucket}"': f'bucket: "{settings.bucket}/autogen"',
    }.items():
        script = script.replace(name, text)
    answer = urllib3.request(
        "POST",
        f"{settings.url}/api/v2/query",
        body=script.encode(),
        headers={"Content-Type": "application/vnd.flux", "Accept": "application/csv"},
        retries=False,
    )
    assert answer.status == 200, answer.data.decode()[:400]
    found: Series = {}
    head: list[str] = []
    for row in csv.reader(answer.data.decode().splitlines()):
        if not row or row[0].startswith("#"):
            continue
        if "table" in row:
            head = row
            continue
        cells = dict(zip(head, row, strict=True))
        if cells.get("error"):
            raise AssertionError(cells["error"])
        at = datetime.fromisoformat(cells["_time"]).timestamp() * 1000 if "_time" in cells else 0
        value = cells.get("value") or cells.get("_value") or ""
        if value:
            found.setdefault(tuple(cells[tag] for tag in sorted(by)), {})[round(at)] = float(value)
    return found


def differs(name: str, ask: Ask, found: Series, wanted: Series) -> bool:
    """Say how it went."""
    same = (
        (bool(wanted) or name in decided.OF_NOBODY)
        and found.keys() == wanted.keys()
        and all(found[group] == pytest.approx(steps, rel=1e-9) for group, steps in wanted.items())
    )
    click.echo(f"{'same' if same else 'DIFFERS':8}{name}{'' if same else f' {ask} {found} {wanted}'}")
    return not same


def main(binary: str) -> int:
    """Fill, ask, compare; how many differ."""
    Influx18.binary = binary
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        server = Influx18(Path(folder) / "server")
        server.start()
        servers = Servers()
        servers._running["influxdb1"] = server
        try:
            wrong += _measured(servers, Path(folder)) + _decided(servers, Path(folder))
            wrong += _long(servers, Path(folder))
        finally:
            servers.close()
    return wrong


def _query(settings: Store, ask: Ask, variables: dict[str, str]) -> str:
    script = flux.query(ask, settings.prefix, settings.bucket)
    for name, value in variables.items():
        script = script.replace(f"${{{name}:raw}}", value)
    return script


def _measured(servers: Servers, folder: Path) -> int:
    settings = servers.settings("influxdb1")
    fleet = Fleet()
    (folder / "m").mkdir()
    with closing(by_hand(settings, folder / "m")) as store:
        windows = [w for w in range(measured.WINDOWS) if w not in {9, 10}]
        store.append(fleet.hours(measured.SITES, windows))
        ship_all(store, servers)
        rows = rows_of(store.streams(Selection(T0, T0 + measured.WINDOWS * WINDOW_NS)))
    wrong = 0
    span = (measured.FROM_MS, measured.UNTIL_MS, measured.STEP_MS)
    for name, ask in QUESTIONS.items():
        if isinstance(ask.family, Family) and ask.grain is not Grain.ROLLUPS:
            sites = measured.SITES if ask.whom.value == "region" else measured.SITES[:1]
            variables = {ask.whom.value: "|".join(sites), "path": ".*"}
            found = asked(settings, _query(settings, ask, variables), ask.by, span)
            wrong += differs(name, ask, found, measured.expected(ask, rows, sites))
    return wrong


def _long(servers: Servers, folder: Path) -> int:
    settings = servers.settings("influxdb1")
    (folder / "l").mkdir()
    rows = long.fill(settings, servers, folder / "l")
    wrong = 0
    for name in long.NAMES:
        ask = QUESTIONS[name]
        script = _query(settings, ask, {"site": "agra", "path": ".*"})
        wrong += differs(
            name, ask, asked(settings, script, ask.by, (*long.LONGER, long.STEP_MS)), long.expected(ask, rows)
        )
        wrong += bool(asked(settings, script, ask.by, (*long.SHORT, long.STEP_MS)))
    return wrong


def _decided(servers: Servers, folder: Path) -> int:
    settings = servers.settings("influxdb1")
    (folder / "d").mkdir()
    envelope = Fleet().envelope("agra", 1, decided_rows.START, (*decided_rows.CALLS, decided_rows.REHEARSAL))
    with closing(by_hand(settings, folder / "d")) as store:
        store.append([Received(envelope, envelope.start_ns + WINDOW_NS)])
        ship_all(store, servers)
    with closing(StateDb(folder / "d" / "state.db")) as state:
        fill(state)
        state.put_verdicts([decided_rows.RUNNING])
        with mirror(settings, folder / "d", state) as made:
            decided.note_past(made, settings)
            made.step(NOW)
    rows = decided_rows.rows_of(settings)
    variables = {"site": "agra", "region": "|".join(decided.SITES)}
    variables |= dict.fromkeys(("path", "meeting", "horizon", "profile", "area"), ".*")
    span = (decided_rows.FROM_MS, decided_rows.UNTIL_MS, decided_rows.STEP_MS)
    wrong = 0
    for name, ask in QUESTIONS.items():
        if not isinstance(ask.family, Family):
            found = asked(settings, _query(settings, ask, variables), ask.by, span)
            wrong += differs(name, ask, found, decided.expected(ask, rows[ask.family]))
    for name, mark in ANNOTATIONS.items():
        script = mark.flux(settings.prefix, settings.bucket).replace("${site:raw}", "agra")
        found = asked(settings, script, (mark.text,), span)
        lie = [at for row in found.values() for at in row]
        click.echo(f"{'same' if len(lie) == 1 else 'DIFFERS':8}mark {name}")
        wrong += len(lie) != 1
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
