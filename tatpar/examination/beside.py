"""What a call needs beside the line, asked from this machine: the room's own device, the meeting platform's edge."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, Final

from config.reach import parse_check
from probes.reaching.answer import answer_of
from probes.reaching.asking import ask
from probes.reaching.reacher import address_of
from probes.reaching.targets import EDGE, ROOM, Asked, questions
from tatpar.examination.finding import broken, fine, less
from telemetry.messages import ReachOutcome
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from probes.publishing.office_settings import OfficeSettings
    from probes.reaching.answer import Answer
    from tatpar.examination.finding import Finding
    from telemetry.control import Plan

_SOON_DAYS: Final = 14
_SUBJECTS: Final = {ROOM: "room device", EDGE: "meeting platform"}
_DO: Final = {
    ROOM: "switch the device on, see its network cable, and that it lets itself be asked; its address is room_device of the hub's sites.csv",
    EDGE: "see that the firewall lets the office out to it; the address is reach.edges of the hub's settings",
}
_TRUST: Final = "see whether a firewall looks into TLS, whether this machine's clock is right and ca-certificates is installed"


def of_office(office: OfficeSettings, plan: Plan | None) -> list[Finding]:
    """One finding a question of an office, by its own settings and the hub's plan."""
    asked = questions(plan, office).asked
    if not asked:
        return [fine("room device", "nothing is asked: neither room_device nor reach.edges names anything")]
    return _findings(asked)


def of_hub(edges: Iterable[str]) -> list[Finding]:
    """The platform's edge as it is seen from headquarters."""
    checks = (parse_check(text) for text in edges)
    return _findings([Asked(EDGE, check) for check in checks if check is not None])


def _findings(asked: Iterable[Asked]) -> list[Finding]:
    return asyncio.run(_all(list(asked)))


async def _all(asked: list[Asked]) -> list[Finding]:
    tls = ssl.create_default_context()
    answers = await asyncio.gather(*(_answer(each, tls) for each in asked))
    return [finding(each, answer, time.time_ns()) for each, answer in zip(asked, answers, strict=True)]


async def _answer(asked: Asked, tls: ssl.SSLContext) -> Answer:
    try:
        where = await asyncio.to_thread(address_of, asked.check.host)
    except (OSError, UnicodeError) as error:
        return answer_of(error)
    return await ask(asked.check, where, time.monotonic_ns, tls)


def finding(asked: Asked, answer: Answer, now_ns: int) -> Finding:
    """What an answer means to whoever stands before the machine."""
    subject, where = _SUBJECTS[asked.target], f"{asked.check}"
    if answer.outcome is ReachOutcome.OWN_TROUBLE:
        return less(subject, f"{where} {answer.why}", "see that this machine is on the network")
    if not answer.answered:
        return broken(subject, f"{where} does not answer: {answer.why}", _DO[asked.target])
    if answer.outcome is not ReachOutcome.ANSWERED:
        return less(subject, f"{where} answers, {answer.why}", _TRUST)
    text = f"{where} answers in {answer.took_ms:.1f} ms"
    if answer.handshake_ms is not None:
        text += f" ({answer.connect_ms:.1f} to connect, {answer.handshake_ms:.1f} for TLS)"
    if answer.certificate_until_ns is None:
        return fine(subject, text)
    days = (answer.certificate_until_ns - now_ns) / DAY_NS
    text += f", its certificate is good for {days:.0f} days"
    if days < _SOON_DAYS:
        return less(subject, text, "tell whoever runs the platform")
    return fine(subject, text)
