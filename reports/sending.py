"""The weekly report by mail: who gets it, in which language, as messages of the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from config.people import Role
from reports.files import stem
from reports.weekly_document import document
from telemetry.alerting import Attachment, Post
from telemetry.windows import DAY_NS
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.config import Config
    from reports.gather import WeekFigures


HELPS_NS: Final = 7 * DAY_NS
"""Then there is the next one."""


class Reader(NamedTuple):
    """Somebody who gets the report."""

    person: str
    address: str
    language: str


def posts(figures: WeekFigures, config: Config, now_ns: int, *, by_hand: bool = False) -> list[Post]:
    """One mail a reader, with the PDF and the page; a week is sent once to each, unless it is asked for by hand."""
    from reports.paper import html, pdf  # noqa: PLC0415 - plots and fonts take a second to load

    found = []
    files: dict[str, tuple[Attachment, ...]] = {}
    for reader in readers(config):
        language = reader.language
        if language not in files:
            drawn, name = document(figures, config, language, now_ns), f"{stem(figures)}-{language}"
            files[language] = (
                Attachment(name=f"{name}.pdf", media_type="application/pdf", content=pdf(drawn)),
                Attachment(name=f"{name}.html", media_type="text/html", content=html(drawn).encode()),
            )
        found.append(_post(figures, reader, files[language], now_ns, by_hand=by_hand))
    return found


def readers(config: Config) -> Iterator[Reader]:
    """People of role leadership with an address, then the bare addresses of the settings."""
    seen = set()
    for person in config.people:
        if person.role is Role.LEADERSHIP and person.email:
            seen.add(person.email.lower())
            yield Reader(person.id, person.email, person.language)
    for address in config.settings.reports.mail_to:
        if address.lower() not in seen:
            yield Reader("", address, config.settings.deployment.language)


def _post(
    figures: WeekFigures, reader: Reader, files: tuple[Attachment, ...], now_ns: int, *, by_hand: bool
) -> Post:
    key = f"report/{stem(figures)}/{reader.address}" + (f"/{now_ns}" if by_hand else "")
    held = figures.trend[-1].held if figures.trend else None
    decided = 0 if held is None else held.held + held.failed
    return Post(
        key=key,
        person=reader.person,
        channel="mail",
        recipient=reader.address,
        subject=say(reader.language, "report.mail_subject", week=str(figures.week)),
        body=say(
            reader.language,
            "report.mail_body",
            held=held.held if held else 0,
            of=decided,
            linked=figures.linked,
            total=figures.total,
        )
        + "\n",
        due_ns=now_ns,
        expires_ns=now_ns + HELPS_NS,
        attachments=files,
    )
