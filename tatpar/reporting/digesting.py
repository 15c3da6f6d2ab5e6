"""Sends the digests of the meetings, each once to each reader: before the start who is not ready, after the end what came true.

A digest is written when it is sent, from what is known then; late data changes the record, never a digest that went out.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from alerts.quiet import MINUTE_NS, quiet_until_ns
from reports.digest import Before, Side, after, before
from reports.digest_document import document
from reports.digest_mail import html, plain
from tatpar.reporting.digest_readers import MAIL, readers
from telemetry.alerting import BODY, Attachment, Post
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.config import Config
    from config.meetings import Occurrence
    from reports.digest import After
    from reports.document import Document
    from tatpar.reporting.digest_readers import Reader
    from telemetry.state.db import StateDb

OUTCOME_WAIT_NS: Final = 30 * MINUTE_NS
"""So long it is waited for a first outcome; then it is said that none is there."""
MOST_WAITING: Final = 10_000
STEM: Final = "digest/"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A digest whose time it is."""

    occurrence: Occurrence
    side: Side
    due_ns: int
    helps_until_ns: int

    def key(self, reader: Reader) -> str:
        """What makes it the same digest."""
        return stem(self.occurrence, self.side) + reader.id


@dataclass(slots=True)
class Digests:
    """Looks which digests are due; what it has sent it knows from the outbox, which takes a key once."""

    state: StateDb
    _config: Config | None = None
    _done: set[str] = field(default_factory=set)
    _readers: dict[str, list[Reader]] = field(default_factory=dict)
    """By meeting, of the present configuration: to find them takes a look at every office's contact."""

    def round(self, config: Config, now_ns: int) -> int:
        """Put the digests that are due into the outbox; how many messages that were.

        Raises:
            StateError: the state database cannot be used now.
        """
        if config is not self._config:
            self._withdraw(config, now_ns)
            self._config = config
            self._readers.clear()
        due = list(due_now(config, now_ns))
        sent = sum(self._send(config, one, now_ns) for one in due)
        current = {one.key(reader) for one in due for reader in self._readers_of(config, one)}
        self._done &= current
        return sent

    def _withdraw(self, config: Config, now_ns: int) -> None:
        """Give up what still waits of meetings that were moved or cancelled."""
        until_ns = now_ns + int(config.settings.digest.before_min * MINUTE_NS) + DAY_NS
        there = tuple(
            stem(one, Side.BEFORE) for one in config.calendar.occurrences(now_ns - DAY_NS, until_ns)
        )
        for row in self.state.waiting(MOST_WAITING):
            is_digest = row.key.startswith(STEM) and f"/{Side.BEFORE.value}/" in row.key
            if is_digest and not row.key.startswith(there):
                self.state.mark_dead(row.key, "the meeting was moved or cancelled", now_ns, attempted=False)

    def _readers_of(self, config: Config, due: Due) -> list[Reader]:
        meeting = due.occurrence.meeting
        if meeting.uid not in self._readers:
            self._readers[meeting.uid] = readers(config, meeting)
        return self._readers[meeting.uid]

    def _send(self, config: Config, due: Due, now_ns: int) -> int:
        zone = ZoneInfo(config.settings.deployment.timezone)
        waiting = [one for one in self._readers_of(config, due) if due.key(one) not in self._done]
        waiting = [one for one in waiting if not _sleeps(one, due, now_ns, zone)]
        digest = made(config, self.state, due.occurrence, due.side) if waiting else None
        if digest is None or not _has_something_to_say(digest, due, now_ns):
            return 0
        posts = [
            post(document(digest, config, one.language, now_ns), one, due.key(one), due.helps_until_ns)
            for one in waiting
        ]
        new = self.state.post(posts, now_ns)
        self._done.update(one.key for one in posts)
        if new:
            meeting, side = due.occurrence.meeting.uid, due.side.value
            extra = {"event": "digest.posted", "meeting": meeting, "side": side, "messages": new}
            _log.info("digest of %s (%s) to %d", meeting, side, new, extra=extra)
        return new


def stem(occurrence: Occurrence, side: Side) -> str:
    """What the keys of a digest begin with; a meeting that is moved is another time, and gets its own."""
    at = f"{occurrence.recurrence_ns}@{occurrence.starts_ns}"
    return f"{STEM}{occurrence.meeting.uid}/{at}/{side.value}/"


def due_now(config: Config, now_ns: int) -> Iterator[Due]:
    """The digests whose time has come and that still help: of before until the start, of after it for some hours."""
    settings = config.settings.digest
    before_ns, after_ns = int(settings.before_min * MINUTE_NS), int(settings.after_min * MINUTE_NS)
    late_ns = int(settings.late_h * HOUR_NS)
    for one in config.calendar.occurrences(now_ns - after_ns - late_ns, now_ns + before_ns + 1):
        due_ns = one.starts_ns - before_ns
        if before_ns and due_ns <= now_ns < one.starts_ns:
            yield Due(one, Side.BEFORE, due_ns, one.starts_ns)
        due_ns = one.ends_ns + after_ns
        if after_ns and due_ns <= now_ns < due_ns + late_ns:
            yield Due(one, Side.AFTER, due_ns, due_ns + late_ns)


def made(config: Config, state: StateDb, occurrence: Occurrence, side: Side) -> Before | After:
    """A digest from what is known now.

    Raises:
        StateError: the state database cannot be read.
    """
    return (before if side is Side.BEFORE else after)(config, state, occurrence)


def post(page: Document, reader: Reader, key: str, helps_until_ns: int | None) -> Post:
    """The message; to an address, so that it is never folded into the alerts that a person's limit holds back."""
    as_html = Attachment(name=BODY, media_type="text/html", content=html(page).encode())
    return Post(
        key=key,
        person="",
        channel=reader.channel,
        recipient=reader.recipient,
        subject=page.title,
        body=plain(page),
        due_ns=page.made_ns,
        expires_ns=helps_until_ns,
        attachments=(as_html,) if reader.channel == MAIL else (),
    )


def _sleeps(reader: Reader, due: Due, now_ns: int, zone: ZoneInfo) -> bool:
    """Whether it can wait for the end of the reader's quiet hours and still helps then."""
    if reader.person is None:
        return False
    return now_ns < quiet_until_ns(reader.person, now_ns, zone) < due.helps_until_ns


def _has_something_to_say(digest: Before | After, due: Due, now_ns: int) -> bool:
    """There is an office to speak of, and something is known of it (a watch that has just begun has said nothing yet).

    What came true of a meeting before our time (imported, or measured and stored late) is on record, and told to nobody.
    """
    if not digest.offices:
        return False
    if isinstance(digest, Before):
        return digest.is_said
    return (
        digest.is_ours and digest.is_known and (digest.is_settled or now_ns >= due.due_ns + OUTCOME_WAIT_NS)
    )


def by_hand(config: Config, state: StateDb, digest: Before | After, side: Side, now_ns: int) -> list[str]:
    """Send a digest now, besides the one that is sent by itself; the addresses.

    Raises:
        StateError: the state database cannot be used.
    """
    found = readers(config, digest.occurrence.meeting)
    posts = [
        post(
            document(digest, config, one.language, now_ns),
            one,
            f"{stem(digest.occurrence, side)}{one.id}/by-hand/{now_ns}",
            None,
        )
        for one in found
    ]
    state.post(posts, now_ns)
    return [one.recipient for one in found]
