"""Facts for every message that can be sent, each with causes that its kind has in life."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import structs

from alerts.facts import Audience, Facts
from alerts.words.templates import SAID, Voice
from config.load import load_config
from config.sites import Registry
from telemetry.alerting import INCIDENTS, Kind, Step
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.config import Config

STARTS_NS: Final = 1_795_498_200 * SECOND_NS
"""2026-11-24 11:00 in India, a Tuesday."""
NOW_NS: Final = STARTS_NS - 45 * 60 * SECOND_NS
BEGAN_NS: Final = NOW_NS - 20 * 60 * SECOND_NS
MEETING: Final = "morning-review@tatpar.example"
LINK: Final = "https://tatpar.example/ack/K7M2PQ.site:agra.tozso0.khjwA-RbuLDtkYq-gW38"
OFFICES: Final = ("etawah", "mainpuri", "auraiya", "kannauj", "farrukhabad")
REASONS: Final = {
    Kind.NOT_READY: Reason(code=ReasonCode.LOSS_UP, value=0.041, unit="ratio", since_ns=BEGAN_NS),
    Kind.AT_RISK: Reason(code=ReasonCode.USUAL_HOUR, value=0.3, unit="ratio", record=(3, 5)),
    Kind.DARK: Reason(code=ReasonCode.DARK, value=1200.0, unit="s", since_ns=BEGAN_NS),
    Kind.DOWN: Reason(code=ReasonCode.DARK, value=1200.0, unit="s", since_ns=BEGAN_NS),
    Kind.ROOM_DEVICE: Reason(code=ReasonCode.ROOM_DEVICE, since_ns=BEGAN_NS),
}
ACTIONS: Final = {
    Kind.NOT_READY: Action.RESTART_ROUTER,
    Kind.AT_RISK: Action.WATCH,
    Kind.DARK: Action.CHECK_POWER,
    Kind.DOWN: Action.CHECK_POWER,
    Kind.ROOM_DEVICE: Action.SWITCH_ON_DEVICE,
}
FACTORS: Final = {
    Kind.SHARED: Factor(FactorKind.PROVIDER_REGION, "provider-b", "kanpur"),
    Kind.HEADQUARTERS: Factor(FactorKind.END, "state"),
    Kind.NOT_YOUR_LINE: Factor(FactorKind.PROVIDER, "provider-b"),
}


@cache
def config() -> Config:
    """The built-in configuration, with a telephone at the NOC and one at Agra."""
    found = load_config(None)
    sites = tuple(
        structs.replace(site, contact_name="रमेश कुमार", contact_phone="+91 555 0100", line_number="LL-0012345")
        if site.id == "agra"
        else site
        for site in found.registry.sites
    )
    deployment = structs.replace(found.settings.deployment, noc_phone="0522 000000")
    return structs.replace(
        found,
        settings=structs.replace(found.settings, deployment=deployment),
        registry=Registry(sites, {site.id: site for site in sites}),
    )


def facts(kind: Kind, step: Step, audience: Audience, **changes: object) -> Facts:
    """What is to be said of one alert."""
    of_many = kind in INCIDENTS or step is Step.MANY
    made = Facts(
        kind=kind,
        step=step,
        audience=audience,
        alert="K7M2PQ",
        now_ns=NOW_NS,
        site="" if of_many else "agra",
        sites=OFFICES if of_many else (),
        meeting="" if kind is Kind.DOWN else MEETING,
        occurrence_ns=None if kind is Kind.DOWN else STARTS_NS,
        starts_ns=None if kind is Kind.DOWN else STARTS_NS,
        reason=REASONS.get(kind),
        action=ACTIONS.get(kind, Action.NONE),
        factor=FACTORS.get(kind),
        probability=0.31 if kind in {Kind.NOT_READY, Kind.AT_RISK} else None,
        since_ns=BEGAN_NS,
        ended_ns=NOW_NS if step is Step.RESOLVED else None,
        unanswered="रमेश कुमार" if step is Step.ESCALATED else "",
        count=len(OFFICES) if step is Step.MANY else 1,
        link=LINK,
    )
    return structs.replace(made, **changes)


def audiences(voice: Voice) -> tuple[Audience, ...]:
    """Who is spoken to so."""
    return (Audience.IN_CHARGE,) if voice is Voice.EVERYDAY else (Audience.REGIONAL, Audience.NOC)


def everything() -> Iterator[Facts]:
    """Every message that can be sent, with a meeting and without one, with a link and without."""
    for voice, kind, step in SAID:
        for audience in audiences(voice):
            usual = facts(kind, step, audience)
            yield usual
            yield structs.replace(usual, link="")
            yield structs.replace(usual, unseen=True)
            if kind in {*INCIDENTS, Kind.NOT_YOUR_LINE}:
                yield structs.replace(usual, meeting="", occurrence_ns=None, starts_ns=None)
    for code in ReasonCode:
        for action in Action:
            for kind in (Kind.NOT_READY, Kind.AT_RISK):
                reason = Reason(code=code, value=0.04, unit="ratio", since_ns=BEGAN_NS)
                for audience in Audience:
                    yield facts(kind, Step.RAISED, audience, reason=reason, action=action)
    for action in Action:
        for left_ns in (9 * 60 * SECOND_NS, 0):
            for audience in Audience:
                now_ns = STARTS_NS - left_ns
                yield facts(Kind.NOT_READY, Step.RAISED, audience, action=action, now_ns=now_ns)
    for factor in FactorKind:
        for kind in INCIDENTS:
            yield facts(kind, Step.RAISED, Audience.NOC, factor=Factor(factor, "awadh", "braj"))
        yield facts(
            Kind.NOT_YOUR_LINE, Step.RAISED, Audience.IN_CHARGE, factor=Factor(factor, "awadh", "braj")
        )
    yield from poor()


def poor() -> Iterator[Facts]:
    """Every message with as little as may be known."""
    for voice, kind, step in SAID:
        for audience in audiences(voice):
            yield Facts(kind=kind, step=step, audience=audience, alert="K7M2PQ", now_ns=NOW_NS)


def to_be_read() -> Iterator[tuple[str, Facts]]:
    """One of each sort, with a heading: what a reader of the language goes through in one sitting."""
    for voice, kind, step in SAID:
        if step in {Step.MANY, Step.TEST} and (kind is not Kind.NOT_READY or voice is Voice.TECHNICAL):
            continue
        if voice is Voice.EVERYDAY and step is Step.ESCALATED:
            continue
        if kind in {Kind.AT_RISK, Kind.DARK, Kind.ROOM_DEVICE} and step is not Step.RAISED:
            continue
        if kind is Kind.HEADQUARTERS and step is not Step.RAISED:
            continue
        audience = audiences(voice)[0]
        yield f"{kind.value}, {step.value}, {audience.value}", facts(kind, step, audience)
