"""What a message is: a report to store, something a probe says of itself, or refused with the reason.

A pure function over (message, registry, clock bounds); nothing that it reads may stop it. What is refused is
counted by its code, kept in the bounded quarantine and acknowledged, so that one bad sender never stops the flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import structs

from collector.enrolment.roll import Roll
from collector.outcome import Accepted, Answered, Misdated, Outcome, RefusalCode, Refused, Said
from config.sites import SiteStatus
from telemetry.codec import MAX_REPORT_BYTES, MessageError, decode, decode_control
from telemetry.control import Answer, Presence
from telemetry.state.credentials import Standing
from telemetry.store.protocol import Received
from telemetry.topics import Leaf, parse
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collector.message import Message
    from config.sites import Registry
    from telemetry.messages import Envelope
    from telemetry.topics import Address

_address = lru_cache(maxsize=8192)(parse)
"""A fleet says the same few topics again and again."""
MAX_CONTROL_BYTES: Final = 16 * 1024
MAX_NAME: Final = 64
"""Characters of a version, a boot, a reason to have started."""
AHEAD_NS: Final = 60 * SECOND_NS
"""A window may start so far in our future: four windows of clock error are shown as they are."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a report's date may be, relative to the time of its arrival."""

    ahead_ns: int = AHEAD_NS
    behind_ns: int = 90 * DAY_NS
    """How long raw reports are kept; an older date is believed only when the probe's own count of time says the same."""

    @property
    def oldest_ns(self) -> int:
        """So old a report is taken at all: a month of spool of an office that was then without power for two, whatever is kept."""
        return max(self.behind_ns, 90 * DAY_NS)


_EVERYBODY: Final = Roll()


def examine(
    message: Message, root: str, registry: Registry, bounds: Bounds, roll: Roll = _EVERYBODY
) -> Outcome:
    """What a message is. Never raises for anything that a sender may send."""
    address = _address(root, message.topic)
    if address is None:
        return Refused(RefusalCode.TOPIC, f"topic {message.topic[:200]!r} is none of ours", message)
    refusal = _who(message, address, registry) or _enrolled(message, address, roll)
    if refusal is not None:
        return refusal
    try:
        if address.leaf in (Leaf.REPORT, Leaf.BACKLOG):
            return _report(message, address, bounds)
        return _control(message, address)
    except MessageError as error:
        return Refused(RefusalCode.MALFORMED, str(error)[:500], message)
    except RecursionError:
        return Refused(RefusalCode.MALFORMED, "nested too deeply", message)


def _who(message: Message, address: Address, registry: Registry) -> Refused | None:
    site = registry.by_id.get(address.site)
    if site is None:
        detail = f"site {address.site} is not in the list of sites"
        return Refused(RefusalCode.UNKNOWN_SITE, detail, message)
    if site.status is not SiteStatus.LINKED:
        detail = f"site {address.site} is {site.status} in the list of sites, yet it speaks; make it linked"
        return Refused(RefusalCode.NOT_LINKED, detail, message)
    return None


def _enrolled(message: Message, address: Address, roll: Roll) -> Refused | None:
    objection = roll.objection(address.site, address.probe)
    if objection is None or not message.payload:  # withdrawing a retained word is nothing to object to
        return None
    who = f"{address.site}/{address.probe}"
    if objection is Standing.REVOKED:
        return Refused(RefusalCode.REVOKED, f"{who} is revoked", message)
    remedy = f"tatpar enroll {address.site} --probe {address.probe}"
    return Refused(RefusalCode.NOT_ENROLLED, f"{who} is not enrolled: {remedy}", message)


def _report(message: Message, address: Address, bounds: Bounds) -> Outcome:
    if message.retained:
        return Refused(RefusalCode.RETAINED, "a report must not be retained", message)
    if len(message.payload) > MAX_REPORT_BYTES:
        detail = f"{len(message.payload)} bytes, at most {MAX_REPORT_BYTES} are taken"
        return Refused(RefusalCode.TOO_LARGE, detail, message)
    envelope = decode(message.payload)
    if (envelope.site, envelope.probe) != (address.site, address.probe):
        detail = f"topic says {address.site}/{address.probe}, report says {envelope.site}/{envelope.probe}"
        return Refused(RefusalCode.FOREIGN, detail, message)
    return _dated(message, envelope, address.leaf is Leaf.BACKLOG, bounds)


def _dated(message: Message, envelope: Envelope, backlog: bool, bounds: Bounds) -> Outcome:  # noqa: FBT001
    report = Received(envelope, message.received_ns, backlog, payload=message.payload)
    age_ns = message.received_ns - envelope.start_ns
    if not -bounds.ahead_ns <= age_ns <= bounds.behind_ns:
        return Misdated(report, message, is_live=not backlog)
    if envelope.start_ns % WINDOW_NS:
        detail = f"start_ns {envelope.start_ns} is not on the grid of 15 s"
        return Refused(RefusalCode.OFF_GRID, detail, message, envelope)
    return Accepted(report)


def _cut(said: Presence) -> Presence:
    """What a probe calls itself, to a length that a true one never reaches."""
    return structs.replace(
        said,
        version=said.version[:MAX_NAME],
        boot=said.boot[:MAX_NAME],
        restart_reason=said.restart_reason[:MAX_NAME],
    )


def outlived(report: Received, message: Message, bounds: Bounds) -> Refused | None:
    """A report of a wrong clock that is, by its age, from before anything that a probe can still hold for us."""
    envelope, age_ns = report.envelope, report.received_ns - report.envelope.start_ns
    if age_ns <= bounds.oldest_ns:
        return None
    kept = bounds.oldest_ns // DAY_NS
    detail = f"by its age it is {age_ns // DAY_NS} days old; reports are taken up to {kept} days back"
    return Refused(RefusalCode.CLOCK, detail, message, envelope)


def _control(message: Message, address: Address) -> Outcome:
    if len(message.payload) > MAX_CONTROL_BYTES:
        detail = f"{len(message.payload)} bytes, at most {MAX_CONTROL_BYTES} are taken"
        return Refused(RefusalCode.TOO_LARGE, detail, message)
    if address.leaf is Leaf.PRESENCE:
        presence = _cut(decode_control(message.payload, Presence)) if message.payload else None
        return Said(address.site, address.probe, presence, message.received_ns)
    if address.leaf is Leaf.ANSWER:
        return Answered(address.site, address.probe, decode_control(message.payload, Answer))
    return Refused(RefusalCode.TOPIC, f"{address.leaf} is ours to write", message)
