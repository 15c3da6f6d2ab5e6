"""The state database: what was decided, told and seen; one SQLite file that every part of the house may open."""

from __future__ import annotations

from telemetry.state.access import AccessTable
from telemetry.state.alerts import AlertTable
from telemetry.state.beliefs import BeliefTable
from telemetry.state.clocks import ClockTable
from telemetry.state.commands import CommandTable
from telemetry.state.credentials import CredentialTable
from telemetry.state.flags import FlagTable
from telemetry.state.forecasts import ForecastTable
from telemetry.state.heartbeats import HeartbeatTable
from telemetry.state.imports import ImportTable
from telemetry.state.incidents import IncidentTable
from telemetry.state.leases import LeaseTable
from telemetry.state.models import ModelTable
from telemetry.state.outbox import OutboxTable
from telemetry.state.outcomes import OutcomeTable
from telemetry.state.plans import PlanTable
from telemetry.state.presence import PresenceTable
from telemetry.state.pruning import PruneTable
from telemetry.state.quarantine import QuarantineTable
from telemetry.state.rehearsals import RehearsalTable
from telemetry.state.tokens import TokenTable
from telemetry.state.verdicts import VerdictTable


class StateDb(
    PresenceTable,
    FlagTable,
    BeliefTable,
    ImportTable,
    ClockTable,
    VerdictTable,
    ForecastTable,
    OutcomeTable,
    IncidentTable,
    OutboxTable,
    AlertTable,
    PlanTable,
    QuarantineTable,
    HeartbeatTable,
    LeaseTable,
    ModelTable,
    CredentialTable,
    TokenTable,
    CommandTable,
    AccessTable,
    RehearsalTable,
    PruneTable,
):
    """All tables over one connection: `StateDb(path)`. Each concept has its own module beside this one.

    Any number of processes may have it open: write-ahead log, short transactions, and a wait of up to ten seconds for
    another's. Every method raises `errors.StateError` when the file cannot be read or written, and then has changed nothing.
    """
