"""A morning's decisions in a state database, and the mirror that writes them to a real server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from config.load import load_config
from tatpar.watching.mirror import Mirror
from telemetry.control import Presence
from telemetry.decisions import (
    Action,
    Evidence,
    Factor,
    FactorKind,
    Forecast,
    Horizon,
    Incident,
    Outcome,
    OutcomeState,
    Reason,
    ReasonCode,
    State,
    Verdict,
)
from telemetry.rehearsing import (
    HubResult,
    OfficeProgress,
    OfficeState,
    RehearsalRecord,
    RehearsalRequest,
    RehearsalState,
)
from telemetry.store.server.connect import connect
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.config import Config
    from config.settings import Store
    from telemetry.state.db import StateDb
    from telemetry.store.server.database import Database

NOW = 20_000 * DAY_NS + 6 * HOUR_NS
SITES = ("agra", "mathura", "etah")
UID = "morning-review@tatpar.example"


class Live:
    """A configuration that does not change."""

    def __init__(self, config: Config) -> None:
        self.current = config


def config_of(store: Store) -> Config:
    """The built-in deployment on a server."""
    config = load_config(None)
    return msgspec.structs.replace(config, settings=msgspec.structs.replace(config.settings, store=store))


def verdict(site: str, p: float | None, **more: Any) -> Verdict:
    """Of the meeting that begins an hour after `NOW`, unless told otherwise."""
    at = more.pop("at", NOW + HOUR_NS)
    state = State.NOT_READY if p is None or p < 0.6 else State.AT_RISK if p < 0.9 else State.READY
    given: dict[str, Any] = {
        "site": site,
        "meeting": UID,
        "occurrence_ns": at,
        "starts_ns": at,
        "ends_ns": at + HOUR_NS,
        "profile": "video-720p",
        "issued_ns": NOW - SECOND_NS,
        "state": state,
        "probability": p,
        "reasons": () if state is State.READY else (Reason(code=ReasonCode.LOSS_UP, value=0.05, limit=0.01),),
        "action": Action.NONE if state is State.READY else Action.CALL_PROVIDER,
    }
    return Verdict(**(given | more))


PAST = [NOW - days * DAY_NS for days in (2, 3)]
FORECASTS = [
    Forecast(horizon=h, verdict=verdict(site, p, at=at, issued_ns=at - lead))
    for at in PAST
    for site, p in zip(SITES, (0.97, 0.75, 0.31), strict=True)
    for h, lead in ((Horizon.T2H, 2 * HOUR_NS), (Horizon.T10M, 600 * SECOND_NS))
]
OUTCOMES = [
    Outcome(
        site=site,
        meeting=UID,
        occurrence_ns=at,
        state=state,
        windows=240,
        broken=broken,
        missing=0,
        settled_ns=at + DAY_NS + HOUR_NS,
        final=True,
    )
    for at in PAST
    for site, state, broken in zip(
        SITES, (OutcomeState.HELD, OutcomeState.HELD, OutcomeState.FAILED), (0, 2, 90), strict=True
    )
]
INCIDENT = Incident(
    id="i1",
    factor=Factor(FactorKind.PROVIDER, "provider-b"),
    since_ns=NOW - 600 * SECOND_NS,
    told_ns=NOW - 500 * SECOND_NS,
    seen_ns=NOW - SECOND_NS,
    sites=("agra", "etah"),
    evidence=Evidence(members=3, suffer=2, others=80, others_suffer=0, log_odds=9.5),
)


REHEARSED = RehearsalRecord(
    request=RehearsalRequest(
        id="r1",
        key="k1",
        meeting=UID,
        recurrence_ns=NOW + HOUR_NS,
        who="asha",
        asked_ns=NOW - 100 * SECOND_NS,
    ),
    state=RehearsalState.RUNNING,
    starts_ns=(NOW - 90 * SECOND_NS, NOW - 60 * SECOND_NS),
    offices=tuple(
        OfficeProgress(site=site, probe="p1", stage=1, state=state)
        for site, state in zip(SITES, (OfficeState.HELD, OfficeState.BROKE, OfficeState.RUNNING), strict=True)
    ),
    hub=HubResult(took_up_bps=2.4e6, took_down_bps=2.3e6),
)


def fill(state: StateDb) -> None:
    """Three offices: one ready, one at risk, one dark; two past meetings with forecasts and outcomes; a shared fault."""
    state.put_verdicts([verdict("agra", 0.95), verdict("mathura", 0.7), verdict("etah", None)])
    state.issue_forecasts(FORECASTS)
    state.put_outcomes(OUTCOMES)
    state.put_incidents([INCIDENT])
    state.ask_rehearsal(REHEARSED.request)
    state.put_rehearsal(REHEARSED)
    state.set_presence("agra", "p1", Presence(online=True, since_ns=NOW - DAY_NS), NOW - DAY_NS)
    state.set_presence("etah", "p1", Presence(online=False, since_ns=NOW - HOUR_NS), NOW - HOUR_NS)


@contextmanager
def mirror(
    settings: Store, folder: Path, state: StateDb, database: Database | None = None
) -> Iterator[Mirror]:
    """A mirror that takes the server's word at once."""
    made = Mirror(
        Live(config_of(settings)),  # type: ignore[arg-type]
        folder,
        state,
        database or connect(settings),
        settles_s=0,
    )
    try:
        yield made
    finally:
        made.close()
