"""The outbox: messages that are to be sent once, kept until they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.state.database import Database, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.alerting import Post
    from telemetry.state.database import Change

_COLUMNS = "key, channel, recipient, subject, body, due_ns, attempts, sent_ns, error"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message and what became of it."""

    key: str
    channel: str
    recipient: str
    subject: str
    body: str
    due_ns: int
    attempts: int
    sent_ns: int | None
    """None while it waits."""
    error: str
    """Why the last attempt failed; empty when none did."""


class OutboxTable(Database):
    """Messages by their key; a key is never sent twice."""

    def enqueue(self, key: str, channel: str, recipient: str, subject: str, body: str, due_ns: int) -> bool:  # noqa: PLR0913, PLR0917
        """Put a message in; False when its key is there already."""
        with self._change() as change:
            return bool(
                change.execute(
                    "INSERT OR IGNORE INTO outbox (key, channel, recipient, subject, body, due_ns)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (key, channel, recipient, subject, body, due_ns),
                )
            )

    def post(self, posts: Iterable[Post], now_ns: int) -> int:
        """Put messages in; how many of them were not there already."""
        with self._change() as change:
            return sum(insert(change, post, now_ns) for post in posts)

    def due(self, now_ns: int) -> list[OutboxRow]:
        """The messages to be sent now, most overdue first."""
        return self._messages("WHERE sent_ns IS NULL AND due_ns <= ? ORDER BY due_ns, id", (now_ns,))

    def mark_sent(self, key: str, at_ns: int) -> None:
        """A message is out; the first time counts."""
        with self._change() as change:
            change.execute(
                "UPDATE outbox SET sent_ns = ?, attempts = attempts + 1, error = ''"
                " WHERE key = ? AND sent_ns IS NULL",
                (at_ns, key),
            )

    def mark_failed(self, key: str, error: str, retry_ns: int) -> None:
        """An attempt failed; it is due again at `retry_ns`."""
        with self._change() as change:
            change.execute(
                "UPDATE outbox SET error = ?, due_ns = ?, attempts = attempts + 1 WHERE key = ? AND sent_ns IS NULL",
                (error, retry_ns, key),
            )

    def outbox(self, limit: int) -> list[OutboxRow]:
        """The newest messages, sent or not, newest first."""
        return self._messages("ORDER BY id DESC LIMIT ?", (limit,))

    def _messages(self, rest: str, parameters: tuple[object, ...]) -> list[OutboxRow]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM outbox {rest}", parameters)  # noqa: S608
        return [OutboxRow(*row) for row in rows]


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
