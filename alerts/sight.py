"""What the alerts see of the state database: read anew only when something there has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from telemetry.alerting import Alert, Silence
from telemetry.decisions import Flag, Incident, State, Verdict
from telemetry.state.heard import heard_until_ns, hearing_since_ns
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.state.db import StateDb


class Sight(Struct, frozen=True, kw_only=True):
    """Everything that decides, as it was at one revision."""

    flagged: tuple[Verdict, ...] = ()
    """Verdicts of occurrences that may still run or come soon, at risk or worse, by start; of open alerts those that are unknown too."""
    flags: tuple[Flag, ...] = ()
    incidents: tuple[Incident, ...] = ()
    ended: tuple[Incident, ...] = ()
    """Incidents that are over: of those an alert is open still, or one that was laid to them, or told of them, is open or ended within the last hour."""
    open: tuple[Alert, ...] = ()
    recent: tuple[Alert, ...] = ()
    """Alerts that ended within the last hour, oldest first."""
    silences: tuple[Silence, ...] = ()
    """Those whose end has not come; some may begin later."""
    heard_until_ns: int | None = None
    """Until when the watch has heard and judged the offices; None when it does not say."""
    hearing_since_ns: int | None = None
    """Since when it has heard anybody without a break."""


def look(state: StateDb, now_ns: int, reach_ns: int) -> Sight:
    """Read what is there now; meetings that start after `now_ns + reach_ns` are left out."""
    alerts = state.alerts(now_ns - HOUR_NS, now_ns + DAY_NS)
    standing = tuple(alert for alert in alerts if alert.resolved_ns is None)
    incidents = tuple(state.open_incidents())
    beats = state.beats()
    return Sight(
        flagged=_flagged(state, standing, now_ns, reach_ns),
        flags=tuple(state.open_flags()),
        incidents=incidents,
        ended=_ended(state, alerts, incidents),
        open=standing,
        recent=tuple(alert for alert in alerts if alert.resolved_ns is not None),
        silences=tuple(state.silences(now_ns)),
        heard_until_ns=heard_until_ns(beats),
        hearing_since_ns=hearing_since_ns(beats),
    )


def _ended(state: StateDb, alerts: Iterable[Alert], incidents: tuple[Incident, ...]) -> tuple[Incident, ...]:
    lasting = {incident.id for incident in incidents}
    of_now = (alert.incident for alert in alerts if alert.incident)
    told_of = (each.incident for alert in alerts if alert.resolved_ns is None for each in alert.laid)
    names = dict.fromkeys((*of_now, *told_of))
    found = (state.incident(name) for name in names if name not in lasting)
    return tuple(one for one in found if one is not None and one.until_ns is not None)


def _flagged(state: StateDb, standing: tuple[Alert, ...], now_ns: int, reach_ns: int) -> tuple[Verdict, ...]:
    flagged = state.flagged_verdicts(now_ns - DAY_NS, now_ns + reach_ns)
    seen = {(one.site, one.meeting, one.occurrence_ns) for one in flagged}
    keys = ((one.site, one.meeting, one.occurrence_ns) for one in standing if one.occurrence_ns is not None)
    missing = (state.verdict(*key) for key in keys if key not in seen and key[0])
    flagged += [one for one in missing if one is not None and one.state is State.UNKNOWN]
    return tuple(sorted(flagged, key=lambda one: one.starts_ns))
