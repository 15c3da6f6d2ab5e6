"""Writes the golden files anew: `python -m tests.alerts.words.golden`; then read them before they are committed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from alerts.facts import Audience, Form
from alerts.words import render
from alerts.words.registry import Places, entries
from alerts.words.sms import cost
from alerts.words.variables import Speaker
from telemetry.alerting import Kind, Step
from telemetry.decisions import Action, Reason, ReasonCode
from telemetry.windows import SECOND_NS
from telemetry.words import LANGUAGES
from tests.alerts.words.cases import STARTS_NS, config, facts, to_be_read

if TYPE_CHECKING:
    from alerts.facts import Facts

FOLDER: Final = Path(__file__).parent
UNITS: Final = {
    **{code: "ratio" for code in ReasonCode if code.value.startswith(("loss", "burst"))},
    **{code: "ms" for code in ReasonCode if code.value.startswith(("jitter", "rtt"))},
    **{code: "bps" for code in ReasonCode if code.value.startswith("bitrate")},
    ReasonCode.USUAL_HOUR: "ratio",
    ReasonCode.STRAINED: "ratio",
    ReasonCode.EXPECTED_STRAIN: "ratio",
    ReasonCode.RISING_RTT: "ms",
    ReasonCode.RISING_JITTER: "ms",
    ReasonCode.RISING_LOSS: "ratio",
}
VALUES: Final = {
    code: {"ratio": 0.041, "ms": 312.0, "bps": 640e3, "s": 1800.0}[unit] for code, unit in UNITS.items()
} | dict.fromkeys((ReasonCode.FLAPPING, ReasonCode.RECENT_FAULT), 7.0)


def messages(language: str) -> str:
    """Every sort of message as a text message and as a mail, then every cause and every action."""
    parts = [_message(heading, found, language) for heading, found in to_be_read()]
    call = facts(Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE, action=Action.CALL_PROVIDER)
    parts.append(_message("not_ready, raised, in_charge: call the provider", call, language))
    for audience in (Audience.IN_CHARGE, Audience.REGIONAL):
        unseen = facts(Kind.NOT_READY, Step.RESOLVED, audience, unseen=True)
        parts.append(_message(f"not_ready, resolved, {audience}: nobody saw it begin", unseen, language))
    return "\n".join([*parts, _causes(language), _actions(language)])


def templates(language: str) -> str:
    """The texts that providers have on file."""
    found = [entry for form in (Form.SMS, Form.CHAT) for entry in entries(language, form, "", Places.NAMED)]
    return "".join(f"{entry.number} {entry.form}\n{entry.text}\n\n" for entry in found)


def _message(heading: str, found: Facts, language: str) -> str:
    mail = render(found, config(), language, Form.MAIL)
    text = render(structs.replace(found, link=""), config(), language, Form.SMS)
    price = cost(text.body)
    sms = f"{text.template} SMS, {price.units} units, {price.segments} segments:\n{text.body}"
    return f"== {heading}\n{sms}\n\n{mail.template} mail:\n{mail.subject}\n\n{mail.body}"


def _causes(language: str) -> str:
    """Each cause in everyday words before a meeting and in it, as SMS and as mail, then as the NOC reads it."""
    lines = ["== every cause: before a meeting, in it; as SMS, as mail; to an expert"]
    told = [Reason(code=code, value=VALUES.get(code), unit=UNITS.get(code, "")) for code in ReasonCode]
    told.append(
        Reason(code=ReasonCode.EXPECTED_STRAIN)
    )  # of a line that is past its limit, or not known, now
    for reason in told:
        before = facts(Kind.AT_RISK, Step.RAISED, Audience.IN_CHARGE, reason=reason)
        running = structs.replace(before, now_ns=(before.starts_ns or 0) + 1)
        said = [
            Speaker(found, config(), language, form).value("what")
            for form in (Form.SMS, Form.MAIL)
            for found in (before, running)
        ]
        said += [Speaker(before, config(), language, form).value("cause") for form in (Form.SMS, Form.MAIL)]
        lines.append(f"{reason.code.value}: {' | '.join(dict.fromkeys(said))}")
    return "\n".join(lines) + "\n"


def _actions(language: str) -> str:
    lines = ["== every action: before a meeting, shortly before it, in it; as SMS, as mail"]
    for action in Action:
        early = facts(Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE, action=action)
        times = [
            early,
            *(structs.replace(early, now_ns=STARTS_NS - left_ns) for left_ns in (9 * 60 * SECOND_NS, 0)),
        ]
        said = [
            Speaker(found, config(), language, form).value("do")
            for form in (Form.SMS, Form.MAIL)
            for found in times
        ]
        lines.append(f"{action.value}: {' | '.join(dict.fromkeys(said))}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for chosen in LANGUAGES:
        (FOLDER / f"golden.{chosen}.txt").write_text(messages(chosen), encoding="utf-8")
        (FOLDER / f"templates.{chosen}.txt").write_text(templates(chosen), encoding="utf-8")
