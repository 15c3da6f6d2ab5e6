"""What `ack`, `silence` and `retry` do, and what they say of it, in the reader's language."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from alerts.acknowledging.note import one_line
from config.settings_file import timezone_of
from tatpar.terminal.amiss import instead_of
from tatpar.terminal.options import failed, wrong_input
from telemetry.alerting import Silence
from telemetry.state.alerts import UnknownAlertError
from telemetry.windows import SECOND_NS
from telemetry.words import say

if TYPE_CHECKING:
    from config.config import Config
    from telemetry.state.db import StateDb

LONGEST_S: Final = 31 * 86_400.0
WHO_CHARACTERS: Final = 80
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def acknowledge(  # noqa: PLR0913, PLR0917 - one argument an option
    state: StateDb, config: Config, language: str, alert_id: str, who: str, note: str, now_ns: int
) -> str:
    """Take an alert up; the line that says what is so now."""
    alert_id, who, note = alert_id.strip().upper(), one_line(who, WHO_CHARACTERS), one_line(note)
    if not who:
        wrong_input(say(language, "acting.nobody_acks"))
    try:
        alert = state.acknowledge(alert_id, who, note, now_ns)
    except UnknownAlertError:
        wrong_input(say(language, "acting.no_alert", alert=alert_id))
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
        wrong_input(say(language, "acting.nobody_says"))
    if not 0 < for_s <= LONGEST_S:
        wrong_input(say(language, "acting.too_long"))
    what = _checked(state, config, language, what)
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
        wrong_input(say(language, "acting.no_silence", silence=silence_id))
    return say(language, "acting.ended", silence=silence_id)


def retry(state: StateDb, language: str, key: str, now_ns: int) -> str:
    """Have a message tried again."""
    if not state.revive(key, now_ns):
        wrong_input(say(language, "acting.no_message", message=key))
    return say(language, "acting.tried_again", message=key)


def _checked(state: StateDb, config: Config, language: str, what: str) -> str:
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
        wrong_input(say(language, "acting.no_kind", what=what))
    name = name.upper() if kind == "alert" else name
    if name not in known[kind]:
        there = known[kind]
        instead = instead_of(name, there, language) if there else say(language, "acting.none_open")
        wrong_input(say(language, "acting.not_there", kind=kind, name=name, instead=instead))
    return f"{kind}:{name}"
