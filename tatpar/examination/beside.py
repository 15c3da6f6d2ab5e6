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
from tatpar.examination.phrase import Figure, phrase
from telemetry.messages import ReachOutcome
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from probes.publishing.office_settings import OfficeSettings
    from probes.reaching.answer import Answer
    from tatpar.examination.finding import Finding
    from tatpar.examination.phrase import Phrase
    from telemetry.control import Plan

_SOON_DAYS: Final = 14
_SUBJECTS: Final = {ROOM: phrase("room"), EDGE: phrase("edge")}
_DO: Final = {
    ROOM: phrase("room.do_switch_on"),
    EDGE: phrase("edge.do_let_out"),
}
_TRUST: Final = phrase("edge.do_see_who_looks_in")


def of_office(office: OfficeSettings, plan: Plan | None) -> list[Finding]:
    """One finding a question of an office, by its own settings and the hub's plan."""
    asked = questions(plan, office).asked
    if not asked:
        return [fine(phrase("room"), phrase("room.none"))]
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
    why = phrase(f"why.{answer.outcome.name.lower()}", why=answer.why)
    if answer.outcome is ReachOutcome.OWN_TROUBLE:
        return less(subject, phrase("asked.not", where=where, why=why), phrase("asked.do_see_network"))
    if not answer.answered:
        return broken(subject, phrase("asked.silent", where=where, why=why), _DO[asked.target])
    if answer.outcome is not ReachOutcome.ANSWERED:
        return less(subject, phrase("asked.doubtful", where=where, why=why), _TRUST)
    text = _how_fast(where, answer)
    if answer.certificate_until_ns is None:
        return fine(subject, text)
    days = (answer.certificate_until_ns - now_ns) / DAY_NS
    text = phrase("asked.certificate", answers=text, days=Figure(days))
    if days < _SOON_DAYS:
        return less(subject, text, phrase("asked.do_tell"))
    return fine(subject, text)


def _how_fast(where: str, answer: Answer) -> Phrase:
    took_ms = Figure(answer.took_ms or 0.0, 1)
    if answer.connect_ms is None or answer.handshake_ms is None:
        return phrase("asked.answers", where=where, took_ms=took_ms)
    return phrase(
        "asked.answers_with_tls",
        where=where,
        took_ms=took_ms,
        connect_ms=Figure(answer.connect_ms, 1),
        handshake_ms=Figure(answer.handshake_ms, 1),
    )
