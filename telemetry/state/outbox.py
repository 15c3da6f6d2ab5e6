"""The outbox: messages that are to be sent once, kept until they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.alerting import Attachment
from telemetry.state.database import Database, decoded, encoded
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.alerting import Post
    from telemetry.state.database import Change, Row

_COLUMNS = (
    "key, channel, recipient, subject, body, due_ns, attempts, sent_ns, error,"
    " person, template, variables, put_ns, expires_ns, urgent, alert, dead_ns"
)
_WAITS = "sent_ns IS NULL AND dead_ns IS NULL"


LONGEST_CLAIM_NS: Final = 310 * SECOND_NS
"""The longest time that an attempt may take by the settings: what was claimed is due again at most so much later."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message and what became of it."""

    key: str
    channel: str
    recipient: str
    subject: str
    body: str
    due_ns: int
    """When it is tried next."""
    attempts: int
    sent_ns: int | None
    """None while it waits."""
    error: str
    """Why the last attempt failed, or what it waits for; empty when none did."""
    person: str = ""
    template: str = ""
    variables: tuple[str, ...] = ()
    put_ns: int = 0
    expires_ns: int | None = None
    urgent: bool = False
    alert: str = ""
    dead_ns: int | None = None
    """When it was given up; None: it was not."""


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How the outbox stands."""

    waiting: int
    overdue: int
    """Of those waiting: due already."""
    dead: int


class OutboxTable(Database):
    """Messages by their key; a key is never sent twice."""

    def post(self, posts: Iterable[Post], now_ns: int) -> int:
        """Put messages in; how many of them were not there already."""
        with self._change() as change:
            return sum(insert(change, post, now_ns) for post in posts)

    def due(self, now_ns: int) -> list[OutboxRow]:
        """The messages to be sent now: urgent ones first, then the most overdue."""
        rest = f"WHERE {_WAITS} AND due_ns <= ? ORDER BY urgent DESC, due_ns, id"
        return self._messages(rest, (now_ns,))

    def claim(self, keys: Iterable[str], now_ns: int, until_ns: int) -> set[str]:
        """Take messages that are due for an attempt; those that another process was quicker to take are left out.

        Whoever takes one has until `until_ns` to say what became of it; then it is due again: a crash loses nothing.
        """
        with self._change() as change:
            return {
                key
                for key in keys
                if change.execute(
                    f"UPDATE outbox SET due_ns = ? WHERE key = ? AND {_WAITS} AND due_ns <= ?",  # noqa: S608
                    (until_ns, key, now_ns),
                )
            }

    def mark_sent(self, key: str, at_ns: int) -> None:
        """A message is out; the first time counts."""
        with self._change() as change:
            change.execute(
                "UPDATE outbox SET sent_ns = ?, dead_ns = NULL, attempts = attempts + 1, error = ''"
                " WHERE key = ? AND sent_ns IS NULL",
                (at_ns, key),
            )

    def mark_failed(self, key: str, error: str, retry_ns: int) -> None:
        """An attempt failed; it is due again at `retry_ns`."""
        with self._change() as change:
            change.execute(
                f"UPDATE outbox SET error = ?, due_ns = ?, attempts = attempts + 1 WHERE key = ? AND {_WAITS}",  # noqa: S608
                (error, retry_ns, key),
            )

    def mark_dead(self, key: str, error: str, at_ns: int, *, attempted: bool = True) -> bool:
        """A message is given up; it stays, with why, until somebody has it tried again."""
        with self._change() as change:
            return bool(
                change.execute(
                    f"UPDATE outbox SET error = ?, dead_ns = ?, attempts = attempts + ? WHERE key = ? AND {_WAITS}",  # noqa: S608
                    (error, at_ns, int(attempted), key),
                )
            )

    def shift_retries(self, by_ns: int) -> None:
        """The clock was set by so much: what was tried before is due as long from now as it was."""
        with self._change() as change:
            change.execute(f"UPDATE outbox SET due_ns = due_ns + ? WHERE attempts > 0 AND {_WAITS}", (by_ns,))  # noqa: S608

    def mark_waiting(self, key: str, why: str) -> None:
        """Say what a message waits for, when it is not time; no attempt was made."""
        with self._change() as change:
            change.execute(f"UPDATE outbox SET error = ? WHERE key = ? AND {_WAITS}", (why, key))  # noqa: S608

    def revive(self, key: str, now_ns: int) -> bool:
        """Have a message tried again now, as if it were new and without an end; False when it is out, or unknown."""
        with self._change() as change:
            return bool(
                change.execute(
                    "UPDATE outbox SET due_ns = ?, attempts = 0, dead_ns = NULL, expires_ns = NULL"
                    " WHERE key = ? AND sent_ns IS NULL",
                    (now_ns, key),
                )
            )

    def fold(self, keys: Iterable[str], post: Post, now_ns: int) -> bool:
        """Put in one message in place of several that wait; those count as told by it, and name it. All or nothing."""
        with self._change() as change:
            if not insert(change, post, now_ns):
                return False
            for key in keys:
                change.execute(
                    f"UPDATE outbox SET error = ?, sent_ns = ? WHERE key = ? AND {_WAITS}",  # noqa: S608
                    (f"told in {post.key}", now_ns, key),
                )
            return True

    def attachments(self, key: str) -> tuple[Attachment, ...]:
        """The files that go with a message, by name."""
        rows = self._rows(
            "SELECT name, media_type, content FROM outbox_file WHERE key = ? ORDER BY name", (key,)
        )
        return tuple(Attachment(name=name, media_type=kind, content=content) for name, kind, content in rows)

    def forget_files(self, before_ns: int) -> int:
        """Let go of the files of messages that were sent or given up before a time; how many. The messages stay on record."""
        with self._change() as change:
            return change.execute(
                "DELETE FROM outbox_file WHERE key IN"
                " (SELECT key FROM outbox WHERE sent_ns < ?1 OR (sent_ns IS NULL AND dead_ns < ?1))",
                (before_ns,),
            )

    def forget_messages(self, before_ns: int, most: int) -> int:
        """Let go of at most so many messages that were sent or given up before a time; how many.

        The newest row stays, whatever its age: the numbers of messages never come again (who reads on from a number would miss them).
        """
        with self._change() as change:
            old = change.rows_of(
                "SELECT key FROM outbox WHERE (sent_ns < ?1 OR (sent_ns IS NULL AND dead_ns < ?1))"
                " AND id < (SELECT max(id) FROM outbox) ORDER BY id LIMIT ?2",
                (before_ns, most),
            )
            for (key,) in old:
                change.execute("DELETE FROM outbox_file WHERE key = ?", (key,))
                change.execute("DELETE FROM outbox WHERE key = ?", (key,))
        return len(old)

    def sent_since(self, since_ns: int) -> dict[str, int]:
        """By person, how many messages were sent since (what was told in another is not counted); who got none is left out."""
        rows = self._rows(
            "SELECT person, count(*) FROM outbox WHERE person != '' AND sent_ns > ? AND error = '' GROUP BY person",
            (since_ns,),
        )
        return dict(rows)

    def outbox(self, limit: int) -> list[OutboxRow]:
        """The newest messages, sent or not, newest first."""
        return self._messages("ORDER BY id DESC LIMIT ?", (limit,))

    def waiting(self, limit: int) -> list[OutboxRow]:
        """The messages that are not out yet, in the order in which they are tried."""
        return self._messages(f"WHERE {_WAITS} ORDER BY urgent DESC, due_ns, id LIMIT ?", (limit,))

    def dead(self, limit: int) -> list[OutboxRow]:
        """The messages that were given up, newest first."""
        return self._messages(
            "WHERE dead_ns IS NOT NULL AND sent_ns IS NULL ORDER BY dead_ns DESC, id DESC LIMIT ?", (limit,)
        )

    def message(self, key: str) -> OutboxRow | None:
        """One by its key; None when there is none."""
        return next(iter(self._messages("WHERE key = ?", (key,))), None)

    def about_alerts(self, after: int, since_ns: int) -> list[tuple[int, str]]:
        """Number and key of the messages about alerts beyond a number that were put in since, oldest first."""
        rows = self._rows(
            "SELECT id, key FROM outbox WHERE id > ? AND alert != '' AND put_ns >= ? ORDER BY id",
            (after, since_ns),
        )
        return [(number, key) for number, key in rows]

    def messages_of(self, alert: str) -> list[OutboxRow]:
        """All about one alert, in the order in which they were put in."""
        return self._messages("WHERE alert = ? ORDER BY id", (alert,)) if alert else []

    def outbox_counts(self, now_ns: int) -> OutboxCounts:
        """How many wait, are overdue, are given up."""
        query = (
            f"SELECT sum({_WAITS}), sum({_WAITS} AND due_ns <= ?), sum(dead_ns IS NOT NULL AND sent_ns IS NULL)"  # noqa: S608
            " FROM outbox WHERE sent_ns IS NULL"
        )
        waiting, overdue, dead = self._rows(query, (now_ns,))[0]
        return OutboxCounts(waiting or 0, overdue or 0, dead or 0)

    def _messages(self, rest: str, parameters: tuple[object, ...]) -> list[OutboxRow]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM outbox {rest}", parameters)  # noqa: S608
        return [_row(row) for row in rows]


def _row(row: Row) -> OutboxRow:
    shaped: Row = (*row[:11], tuple(decoded(row[11], list)), *row[12:14], bool(row[14]), *row[15:])
    return OutboxRow(*shaped)


def insert(change: Change, post: Post, now_ns: int) -> bool:
    """Put a message in within a transaction that decides more; False when its key is there already."""
    is_new = change.execute(
        "INSERT OR IGNORE INTO outbox (key, channel, recipient, subject, body, due_ns, person, template, variables,"
        " put_ns, expires_ns, urgent, alert) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(post.key, post.channel, post.recipient, post.subject, post.body, post.due_ns, post.person),
            *(post.template, encoded(post.variables), now_ns, post.expires_ns, post.urgent, post.alert),
        ),
    )
    if is_new:
        for file in post.attachments:
            change.execute(
                "INSERT INTO outbox_file VALUES (?, ?, ?, ?)",
                (post.key, file.name, file.media_type, file.content),
            )
    return bool(is_new)


def withdraw(change: Change, alert: str, now_ns: int) -> None:
    """Give up what still waits of an alert that is over; one that is being sent at this moment counts as sent when it is."""
    change.execute(
        f"UPDATE outbox SET error = ?, dead_ns = ? WHERE alert = ? AND {_WAITS}",  # noqa: S608
        ("over before it could be sent", now_ns, alert),
    )


def last_sent(change: Change, alerts: Iterable[str], person: str) -> str | None:
    """Of some alerts the one of which something was sent to somebody last; None when nothing was of any."""
    found = list(alerts)
    places = ", ".join("?" * len(found))
    query = f"SELECT alert FROM outbox WHERE alert IN ({places}) AND person = ? AND sent_ns IS NOT NULL ORDER BY sent_ns DESC LIMIT 1"  # noqa: S608
    rows = change.rows_of(query, (*found, person))
    return str(rows[0][0]) if rows else None


def has_heard(change: Change, alert: str, person: str, now_ns: int) -> bool:
    """Whether anything about an alert was sent to somebody, or may be on its way at this moment."""
    heard = f"sent_ns IS NOT NULL OR ({_WAITS} AND error = '' AND due_ns > ? AND due_ns <= ?)"
    query = f"SELECT 1 FROM outbox WHERE alert = ? AND person = ? AND ({heard}) LIMIT 1"  # noqa: S608
    rows = change.rows_of(query, (alert, person, now_ns, now_ns + LONGEST_CLAIM_NS))
    return bool(rows)
