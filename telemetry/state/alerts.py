"""Alerts as they stand, the messages that follow from them, and silences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from telemetry.alerting import Alert, AlertState, Silence
from telemetry.state.database import Database, decoded, encoded
from telemetry.state.errors import StateError
from telemetry.state.outbox import has_heard, insert, last_sent, withdraw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telemetry.alerting import Owed, Post
    from telemetry.state.database import Change

_WRITE: Final = (
    "INSERT INTO alert (id, subject, state, pending_ns, resolved_ns, body) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET subject = excluded.subject, state = excluded.state, pending_ns = excluded.pending_ns,"
    " resolved_ns = excluded.resolved_ns, body = excluded.body WHERE body != excluded.body"
)


class UnknownAlertError(StateError):
    """There is no alert of this id."""


class AlertTable(Database):
    """One row an alert, one a silence; at most one alert is open of a subject."""

    def put_alerts(self, alerts: Iterable[Alert], posts: Iterable[Post], now_ns: int) -> int:
        """Write alerts as they stand and the messages that follow, all or nothing; how many messages were new.

        An alert that somebody has acknowledged since it was read is left as it is, with its messages: it is to be decided anew.
        What still waits of an alert that is over is given up: it must not arrive after the all-clear, and who has not
        heard of the trouble hears no all-clear either.
        """
        with self._change() as change:
            outrun, over = set(), dict[str, Alert]()
            for decided in alerts:
                alert = structs.replace(decided, owed=_bounded(change, decided.owed, now_ns))
                if not _put(change, alert):
                    outrun.add(alert.id)
                elif alert.state is AlertState.RESOLVED:
                    over[alert.id] = alert
            wanted = [
                post
                for post in posts
                if post.alert not in outrun
                and (post.alert not in over or _has_heard(change, over[post.alert], post.person, now_ns))
            ]
            for alert_id in over:
                withdraw(change, alert_id, now_ns)
            return sum(insert(change, post, now_ns) for post in wanted)

    def open_alerts(self) -> list[Alert]:
        """Those that are not over, oldest first."""
        return self._alerts("WHERE resolved_ns IS NULL")

    def alerts(self, from_ns: int, until_ns: int) -> list[Alert]:
        """Those that overlap `[from_ns, until_ns)`, oldest first."""
        return self._alerts(
            "WHERE pending_ns < ? AND (resolved_ns IS NULL OR resolved_ns >= ?)", (until_ns, from_ns)
        )

    def alert(self, alert_id: str) -> Alert | None:
        """One by its id, open or over; None when there is none."""
        found = self._alerts("WHERE id = ?", (alert_id,))
        return found[0] if found else None

    def acknowledge(
        self, alert_id: str, who: str, note: str, at_ns: int, *, turn: int | None = None
    ) -> Alert:
        """Take an alert up; the alert as it stands then. The first wins: a second one finds the first one's name in it.

        One that is over stays as it is, and so does one that is no longer in the turn that was seen (None: any).

        Raises:
            UnknownAlertError: there is none of this id.
        """
        with self._change() as change:
            found = _read(change, alert_id)
            if found is None:
                raise UnknownAlertError(f"there is no alert {alert_id}")
            if found.acknowledged_ns is not None or found.state is AlertState.RESOLVED:
                return found
            if turn is not None and turn != found.turn:
                return found
            taken = structs.replace(
                found,
                state=AlertState.ACKNOWLEDGED,
                acknowledged_ns=at_ns,
                acknowledged_by=who,
                note=note,
            )
            _write(change, taken)
            return taken

    def forget_alerts(self, before_ns: int, most: int) -> int:
        """Let go of at most so many alerts that were over, and silences that had ended, before a time; how many."""
        with self._change() as change:
            return change.execute(
                "DELETE FROM alert WHERE id IN"
                " (SELECT id FROM alert WHERE resolved_ns < ? ORDER BY resolved_ns LIMIT ?)",
                (before_ns, most),
            ) + change.execute(
                "DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE until_ns < ? LIMIT ?)",
                (before_ns, most),
            )

    def put_silence(self, silence: Silence) -> None:
        """Put a silence on record, or change one."""
        with self._change() as change:
            change.execute(
                "INSERT INTO silence (id, until_ns, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " until_ns = excluded.until_ns, body = excluded.body",
                (silence.id, silence.until_ns, encoded(silence)),
            )

    def silences(self, at_ns: int) -> list[Silence]:
        """Those that hold at a time, the one that ends first before the others."""
        rows = self._rows("SELECT body FROM silence WHERE until_ns > ? ORDER BY until_ns, id", (at_ns,))
        found = [decoded(body, Silence) for (body,) in rows]
        return [silence for silence in found if silence.from_ns <= at_ns]

    def end_silence(self, silence_id: str, at_ns: int) -> bool:
        """End a silence before its time; False when there is none that would still hold."""
        with self._change() as change:
            rows = change.rows_of(
                "SELECT body FROM silence WHERE id = ? AND until_ns > ?", (silence_id, at_ns)
            )
            for (body,) in rows:
                ended = structs.replace(decoded(body, Silence), until_ns=at_ns)
                change.execute(
                    "UPDATE silence SET until_ns = ?, body = ? WHERE id = ?",
                    (at_ns, encoded(ended), silence_id),
                )
            return bool(rows)

    def _alerts(self, rest: str, parameters: tuple[object, ...] = ()) -> list[Alert]:
        rows = self._rows(f"SELECT body FROM alert {rest} ORDER BY pending_ns, id", parameters)  # noqa: S608
        return [decoded(body, Alert) for (body,) in rows]


def _has_heard(change: Change, alert: Alert, person: str, now_ns: int) -> bool:
    """Whether somebody has heard of this alert, or of one in whose place it stands."""
    of = [alert.id, *(one.alert for one in alert.owed if one.person == person)]
    return any(has_heard(change, each, person, now_ns) for each in of)


def _bounded(change: Change, owed: Sequence[Owed], now_ns: int) -> tuple[Owed, ...]:
    """The words that are owed, of which each person hears one: of the alerts that they were told of the one that reached them last will do.

    Kept besides are the first, which is the newest, and what may be on its way to them at this moment; what was never sent and is over
    cannot reach them any more. So an office that is silent for weeks owes no more with each meeting that comes and goes.
    """
    kept: list[Owed] = []
    for person, lasts in dict.fromkeys((one.person, one.lasts) for one in owed):
        theirs = [one for one in owed if (one.person, one.lasts) == (person, lasts)]
        if len(theirs) > 1:
            reached = last_sent(change, (one.alert for one in theirs), person)
            needed = {theirs[0].alert, reached}
            theirs = [
                one
                for one in theirs
                if one.alert in needed
                or (
                    last_sent(change, (one.alert,), person) is None
                    and has_heard(change, one.alert, person, now_ns)
                )
            ]
        kept += theirs
    return tuple(kept)


def _put(change: Change, alert: Alert) -> bool:
    """Write an alert, unless it was acknowledged (or an acknowledgement overtaken) in the meantime.

    What it owes is written even so: the alert that gave it its words is over with this change, and hands them on but once.
    """
    standing = _read(change, alert.id)
    if standing is not None and standing.acknowledged_ns not in {alert.acknowledged_ns, alert.overtaken_ns}:
        if standing.owed != alert.owed:
            _write(change, structs.replace(standing, owed=alert.owed))
        return False
    _write(change, alert)
    return True


def _read(change: Change, alert_id: str) -> Alert | None:
    rows = change.rows_of("SELECT body FROM alert WHERE id = ?", (alert_id,))
    return decoded(rows[0][0], Alert) if rows else None


def _write(change: Change, alert: Alert) -> None:
    change.execute(
        _WRITE,
        (
            *(alert.id, alert.subject, alert.state.value, alert.pending_ns, alert.resolved_ns),
            encoded(alert),
        ),
    )
