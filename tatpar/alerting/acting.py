"""What `ack`, `silence` and `retry` do, and what they say of it in the reader's language; a mistake is told in English."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from alerts.acknowledging.note import one_line
from config.settings_file import timezone_of
from config.text import one_of
from tatpar.terminal.options import failed, wrong_input
from telemetry.alerting import Silence
from telemetry.state.alerts import UnknownAlertError
from telemetry.windows import SECOND_NS
from telemetry.words import say

if TYPE_CHECKING:
    from config.config import Config
    from telemetry.state.db import StateDb

FORMS: Final = "site:ID, region:ID, incident:ID, alert:ID or all"
LONGEST_S: Final = 31 * 86_400.0
WHO_CHARACTERS: Final = 80
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def acknowledge(  # noqa: PLR0913, PLR0917 - one argument an option
    state: StateDb, config: Config, language: str, alert_id: str, who: str, note: str, now_ns: int
) -> str:
    """Take an alert up; the line that says what is so now."""
    alert_id, who, note = alert_id.strip().upper(), one_line(who, WHO_CHARACTERS), one_line(note)
    if not who:
        wrong_input("--by is empty; write who takes it up")
    try:
        alert = state.acknowledge(alert_id, who, note, now_ns)
    except UnknownAlertError:
        wrong_input(f"there is no alert {alert_id}; see: tatpar alerts list --open")
    zone = timezone_of(config.settings)
    if alert.resolved_ns is not None:
        failed(say(language, "acting.over", zone=zone, alert=alert.id, at=alert.resolved_ns))
    name, at_ns = alert.acknowledged_by, alert.acknowledged_ns or now_ns
    if at_ns != now_ns:
        return say(language, "acting.already", zone=zone, alert=alert.id, name=name, at=at_ns)
    return say(language, "acting.acknowledged", alert=alert.id, name=name)


def silence(  # noqa: PLR0913, PLR0917 - one argument an option
    state: StateDb,
    config: Config,
    language: str,
    what: str,
    for_s: float,
    who: str,
    note: str,
    now_ns: int,
) -> str:
    """Have nothing sent of something for a while; the line that says so."""
    who, note = one_line(who, WHO_CHARACTERS), one_line(note)
    if not who:
        wrong_input("--by is empty; write who says so")
    if not 0 < for_s <= LONGEST_S:
        wrong_input("--for is from 1s to 31 days (744h)")
    what = _checked(state, config, what)
    made = Silence(
        id="".join(secrets.choice(_LETTERS) for _ in range(6)),
        what=what,
        from_ns=now_ns,
        until_ns=now_ns + int(for_s * SECOND_NS),
        by=who,
        note=note,
    )
    state.put_silence(made)
    zone = timezone_of(config.settings)
    return say(language, "acting.silenced", zone=zone, id=made.id, what=what, until=made.until_ns)


def unsilence(state: StateDb, language: str, silence_id: str, now_ns: int) -> str:
    """End a silence before its time."""
    silence_id = silence_id.strip().upper()
    if not state.end_silence(silence_id, now_ns):
        wrong_input(f"there is no silence {silence_id} that still holds; see: tatpar alerts silences")
    return say(language, "acting.ended", silence=silence_id)


def retry(state: StateDb, language: str, key: str, now_ns: int) -> str:
    """Have a message tried again."""
    if not state.revive(key, now_ns):
        wrong_input(f'no message "{key}" waits or was given up; see: tatpar alerts list --dead')
    return say(language, "acting.tried_again", message=key)


def _checked(state: StateDb, config: Config, what: str) -> str:
    """What is to be silent, if there is such a thing."""
    kind, colon, name = what.strip().partition(":")
    if what.strip() == "all":
        return "all"
    known: dict[str, tuple[str, ...]] = {
        "site": tuple(config.registry.by_id),
        "region": tuple(config.regions),
        "incident": tuple(incident.id for incident in state.open_incidents()),
        "alert": tuple(alert.id for alert in state.open_alerts()),
    }
    if not colon or kind not in known:
        wrong_input(f'"{what}" is nothing that can be silent; write {FORMS}')
    name = name.upper() if kind == "alert" else name
    if name not in known[kind]:
        remedy = one_of(name, known[kind]) if known[kind] else "nothing of this kind is open"
        wrong_input(f'there is no {kind} "{name}"; {remedy}')
    return f"{kind}:{name}"
