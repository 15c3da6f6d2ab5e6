"""What the types of `[alerts]` cannot say: a ladder that can be climbed, channels that lead somewhere, quiet hours that are times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from config.day_spans import day_spans
from config.names import ID_RULE, is_id, suggested_id
from config.site_columns import CellError
from config.text import one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.alert_settings import Alerts, Rung
    from config.wrong import Wrong

RESERVED: Final = ("mail", "alertmanager")
"""Channels that are built in; no table entry may take their names."""
PLACES: Final = ("phone", "email", "text", "template", "key")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


def check_alerts(alerts: Alerts, wrong: Wrong) -> None:
    """Raise the first thing that is wrong with them."""
    if "@" not in alerts.sender:
        problem = f'alerts.sender "{alerts.sender}" is not a mail address'
        raise wrong(("alerts", "sender"), problem, "write name@domain")
    _check_channels(alerts, wrong)
    for place, text in enumerate(alerts.default_quiet):
        try:
            day_spans("alerts.default_quiet", text)
        except CellError as bad:
            raise wrong(("alerts", "default_quiet", place), bad.problem, bad.remedy) from None
    if alerts.urgent_min > alerts.warning_min:
        problem = f"urgent_min {alerts.urgent_min:g} is above warning_min {alerts.warning_min:g}"
        raise wrong(("alerts", "urgent_min"), problem, f"write at most {alerts.warning_min:g}")
    _check_ladder("ladder", alerts.ladder, wrong)
    _check_ladder("incident_ladder", alerts.incident_ladder, wrong)


def _check_channels(alerts: Alerts, wrong: Wrong) -> None:
    for name, address in alerts.channels.items():
        key = ("alerts", "channels", name)
        if not is_id(name):
            raise wrong(key, f'"{name}" cannot name a channel ({ID_RULE})', f'write "{suggested_id(name)}"')
        if name in RESERVED:
            raise wrong(key, f"the channel {name} is built in", "give this one another name")
        if "://" not in address:
            raise wrong(
                key, f"alerts.channels.{name} is no apprise address", 'write one, as "twilio://…/{phone}"'
            )
        for found in _PLACE.findall(address):
            if found not in PLACES:
                problem = f"alerts.channels.{name} has a place {{{found}}}"
                raise wrong(key, problem, "write {phone}, {email}, {text}, {template} or {key}")
    known = (*RESERVED[:1], *alerts.channels)
    if not alerts.default_channels:
        raise wrong(("alerts", "default_channels"), "alerts.default_channels is empty", 'write ["mail"]')
    for place, name in enumerate(alerts.default_channels):
        if name not in known:
            problem = f'alerts.default_channels names no channel "{name}"'
            raise wrong(("alerts", "default_channels", place), problem, one_of(name, known))


def _check_ladder(key: str, rungs: Sequence[Rung], wrong: Wrong) -> None:
    if not rungs:
        problem = f"the {key.replace('_', ' ')} has no rung"
        raise wrong(("alerts", key), problem, 'write at least one, as { role = "noc", … }')
    seen: set[str] = set()
    for index, rung in enumerate(rungs):
        if rung.role in seen:
            problem = f'the role "{rung.role}" stands on two rungs'
            raise wrong(("alerts", key, index, "role"), problem, "keep one of the two")
        seen.add(rung.role)
