"""Makes the pictures of the weekly report in docs/pictures anew: `python -m tests.reports.pictures [FOLDER]`.

From the lab's past of the built-in offices: outcomes by the watch's own settling, forecasts as a replay of that past
gives them, shared faults as they were drawn. Takes some minutes.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from config.load import load_config
from lab.past.history import give_past, past_of
from reports.gather import gather
from reports.paper.pdf import png
from reports.week import Week
from reports.weekly_document import document
from tatpar.backtesting.blocks import Source, Wanted
from tatpar.backtesting.replaying import HORIZONS, Replayed, replayed
from tatpar.shipped.prior import shipped_prior
from tatpar.watching.settling import Settler
from telemetry.decisions import Evidence, Factor, FactorKind, Forecast, Horizon, Incident, State, Verdict
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess
from telemetry.store.sqlite import SqliteReader
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from config.config import Config
    from lab.past.plan import PastPlan

WEEKS: Final = 7.0
DPI: Final = 110


def make(folder: Path) -> None:
    """Write the first pages in both languages and the page of the track record into a folder."""
    config = load_config(None)
    now_ns = time.time_ns()
    plan = past_of(config, weeks=WEEKS, now_ns=now_ns)
    with tempfile.TemporaryDirectory() as data:
        give_past(plan, config.settings.store, Path(data), lambda _: None)
        with (
            contextlib.closing(SqliteReader(Path(data) / "reports.db")) as reader,
            contextlib.closing(StateDb(Path(data) / "state.db")) as state,
        ):
            _settle(config, reader, state, plan)
            _forecast(config, reader, state, plan)
            state.put_incidents(_incidents(plan))
            week = Week.containing(now_ns - 7 * DAY_NS, ZoneInfo(config.settings.deployment.timezone))
            figures = gather(config, InProcess(reader), state, week, now_ns, lambda *_: None)
    for language in ("hi", "en"):
        pages = png(document(figures, config, language, now_ns), DPI)
        (folder / f"report-{language}.png").write_bytes(pages[0])
        if language == "en":
            (folder / "report-record-en.png").write_bytes(pages[1])


def _settle(config: Config, reader: SqliteReader, state: StateDb, plan: PastPlan) -> None:
    for at_ns in range(plan.start_ns + DAY_NS, plan.end_ns + 2 * DAY_NS, DAY_NS):
        settler = Settler(reader, state)
        while settler.round(config, at_ns):
            pass


def _forecast(config: Config, reader: SqliteReader, state: StateDb, plan: PastPlan) -> None:
    wanted = Wanted(from_ns=plan.start_ns, until_ns=plan.end_ns)
    found = replayed(config, Source(reader, state), wanted, shipped_prior(), lambda _: None)
    state.issue_forecasts(
        [_issued(config, found, pair, at) for pair, at in np.argwhere(np.isfinite(found.chance)).tolist()]
    )


def _issued(config: Config, found: Replayed, pair: int, at: int) -> Forecast:
    chance, starts_ns = float(found.chance[pair, at]), int(found.starts_ns[pair])
    said = State.READY if chance >= 0.9 else State.AT_RISK if chance >= 0.6 else State.NOT_READY
    verdict = Verdict(
        site=config.registry.sites[int(found.sites[pair])].id,
        meeting=found.meetings[pair],
        occurrence_ns=starts_ns,
        starts_ns=starts_ns,
        ends_ns=starts_ns + DAY_NS // 24,
        profile=config.settings.meetings.default_profile,
        issued_ns=starts_ns,
        state=said,
        probability=chance,
    )
    return Forecast(horizon=Horizon(HORIZONS[at]), verdict=verdict)


def _incidents(plan: PastPlan) -> list[Incident]:
    shared = [fault for fault in plan.faults if len(fault.sites) >= 3 and fault.cuts_reports]
    return [
        Incident(
            id=f"lab-{at}",
            factor=Factor(kind=FactorKind.PROVIDER, name=plan.places.providers[min(fault.sites)]),
            since_ns=fault.start_ns,
            told_ns=fault.start_ns,
            seen_ns=fault.end_ns,
            sites=tuple(sorted(fault.sites)),
            evidence=Evidence(
                members=len(fault.sites), suffer=len(fault.sites), others=0, others_suffer=0, log_odds=0
            ),
            until_ns=fault.end_ns,
        )
        for at, fault in enumerate(shared)
    ]


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs" / "pictures")
