"""Users, sessions and links of the wall, and who has taken up which incident. Tokens are kept as hashes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.access import IncidentMark, Role, Session, User, WallLink
from telemetry.state.database import Database
from telemetry.state.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.state.database import Row

SESSIONS_OF_ONE: Final = 20
"""Browsers in which somebody is signed in at once; of more the oldest are signed out."""
_USER: Final = "name, role, secret, made_ns, changed_ns"
_LINK: Final = "id, label, made_by, made_ns, until_ns"


class LastAdministratorError(StateError):
    """Nobody would be left who may administer."""


class AccessTable(Database):
    """Rows by name and by hash."""

    # ── users ──
    def users(self) -> list[User]:
        """All of them, by name."""
        return [_user(row) for row in self._rows(f"SELECT {_USER} FROM user ORDER BY name")]  # noqa: S608

    def user(self, name: str) -> User | None:
        """One by the name; None when there is none."""
        rows = self._rows(f"SELECT {_USER} FROM user WHERE name = ?", (name,))  # noqa: S608
        return _user(rows[0]) if rows else None

    def add_user(self, user: User) -> bool:
        """Put somebody in; False when the name is taken."""
        with self._change() as change:
            return bool(
                change.execute(
                    f"INSERT OR IGNORE INTO user ({_USER}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                    (user.name, int(user.role), user.secret, user.made_ns, user.changed_ns),
                )
            )

    def change_user(
        self, name: str, now_ns: int, *, role: Role | None = None, secret: str | None = None
    ) -> bool:
        """Give somebody another role or password, and sign all their browsers out; False when there is no such user.

        Raises:
            LastAdministratorError: the only administrator would become less.
        """
        with self._change() as change:
            rows = change.rows_of(f"SELECT {_USER} FROM user WHERE name = ?", (name,))  # noqa: S608
            if not rows:
                return False
            before = _user(rows[0])
            if role is not None and role < before.role is Role.ADMINISTER:
                self._keep_one(change.rows_of("SELECT count(*) FROM user WHERE role = 4")[0][0])
            change.execute(
                "UPDATE user SET role = ?, secret = ?, changed_ns = ? WHERE name = ?",
                (int(before.role if role is None else role), secret or before.secret, now_ns, name),
            )
            change.execute("DELETE FROM session WHERE user = ?", (name,))
            return True

    def remove_user(self, name: str) -> bool:
        """Let somebody go, with all sessions; False when there is no such user.

        Raises:
            LastAdministratorError: others would be left, and none of them may administer.
        """
        with self._change() as change:
            rows = change.rows_of("SELECT role FROM user WHERE name = ?", (name,))
            if not rows:
                return False
            count, administrators = change.rows_of("SELECT count(*), sum(role = 4) FROM user")[0]
            if rows[0][0] == Role.ADMINISTER and count > 1:
                self._keep_one(administrators)
            change.execute("DELETE FROM session WHERE user = ?", (name,))
            return bool(change.execute("DELETE FROM user WHERE name = ?", (name,)))

    @staticmethod
    def _keep_one(administrators: int) -> None:
        if administrators <= 1:
            raise LastAdministratorError("nobody would be left who may administer")

    # ── sessions ──
    def begin_session(self, token_hash: bytes, user: str, source: str, now_ns: int) -> None:
        """Somebody has signed in; of too many browsers the oldest is signed out."""
        with self._change() as change:
            change.execute(
                "INSERT INTO session (hash, user, source, made_ns, seen_ns) VALUES (?, ?, ?, ?, ?)",
                (token_hash, user, source, now_ns, now_ns),
                quietly=True,
            )
            change.execute(
                "DELETE FROM session WHERE hash IN"
                " (SELECT hash FROM session WHERE user = ? ORDER BY made_ns DESC LIMIT -1 OFFSET ?)",
                (user, SESSIONS_OF_ONE),
                quietly=True,
            )

    def session(self, token_hash: bytes) -> tuple[Session, User] | None:
        """Whose browser that is; None when it is signed in no more."""
        rows = self._rows(
            "SELECT s.user, s.source, s.made_ns, s.seen_ns, u.name, u.role, u.secret, u.made_ns, u.changed_ns"
            " FROM session s JOIN user u ON u.name = s.user WHERE s.hash = ?",
            (token_hash,),
        )
        return (_session(rows[0][:4]), _user(rows[0][4:])) if rows else None

    def sessions(self) -> list[Session]:
        """Every browser that is signed in, the newest first."""
        rows = self._rows("SELECT user, source, made_ns, seen_ns FROM session ORDER BY made_ns DESC")
        return [_session(row) for row in rows]

    def saw_session(self, token_hash: bytes, now_ns: int) -> None:
        """It was used."""
        with self._change() as change:
            change.execute(
                "UPDATE session SET seen_ns = max(seen_ns, ?) WHERE hash = ?",
                (now_ns, token_hash),
                quietly=True,
            )

    def end_session(self, token_hash: bytes) -> bool:
        """One browser is signed out."""
        with self._change() as change:
            return bool(change.execute("DELETE FROM session WHERE hash = ?", (token_hash,), quietly=True))

    def end_sessions(self, user: str) -> int:
        """All browsers of somebody are signed out; how many."""
        with self._change() as change:
            return change.execute("DELETE FROM session WHERE user = ?", (user,), quietly=True)

    def end_all_sessions(self) -> int:
        """Sign everybody out; how many sessions that were."""
        with self._change() as change:
            return change.execute("DELETE FROM session", quietly=True)

    def forget_sessions(self, made_before_ns: int, seen_before_ns: int) -> int:
        """Let go of those that count no more, and of links that have ended; how many."""
        with self._change() as change:
            return change.execute(
                "DELETE FROM session WHERE made_ns < ? OR seen_ns < ?",
                (made_before_ns, seen_before_ns),
                quietly=True,
            )

    # ── links ──
    def put_link(self, token_hash: bytes, link: WallLink) -> None:
        """A new link."""
        with self._change() as change:
            change.execute(
                f"INSERT INTO wall_link (hash, {_LINK}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
                (token_hash, link.id, link.label, link.made_by, link.made_ns, link.until_ns),
            )

    def link(self, token_hash: bytes) -> WallLink | None:
        """The link of a token; None when there is none (any more). Whether it has ended is for the reader to see."""
        rows = self._rows(f"SELECT {_LINK} FROM wall_link WHERE hash = ?", (token_hash,))  # noqa: S608
        return _link(rows[0]) if rows else None

    def links(self) -> list[WallLink]:
        """All that were not taken back, the one that ends first before the others."""
        rows = self._rows(f"SELECT {_LINK} FROM wall_link ORDER BY until_ns, id")  # noqa: S608
        return [_link(row) for row in rows]

    def remove_link(self, link_id: str) -> bool:
        """Take one back; False when there is none."""
        with self._change() as change:
            return bool(change.execute("DELETE FROM wall_link WHERE id = ?", (link_id,)))

    # ── who has taken up which incident ──
    def mark_incident(self, mark: IncidentMark, *, is_first: bool = False) -> IncidentMark:
        """Somebody has taken it up; the mark that stands then.

        With `is_first` the mark counts only as the first: of two who act in the same moment the second one gets that of the other.
        """
        with self._change() as change:
            if is_first:
                found = change.rows_of(
                    "SELECT incident, at_ns, who, note FROM incident_mark WHERE incident = ? ORDER BY id LIMIT 1",
                    (mark.incident,),
                )
                for incident, at_ns, who, note in found:
                    return IncidentMark(incident=incident, at_ns=at_ns, who=who, note=note)
            change.execute(
                "INSERT INTO incident_mark (incident, at_ns, who, note) VALUES (?, ?, ?, ?)",
                (mark.incident, mark.at_ns, mark.who, mark.note),
            )
        return mark

    def incident_marks(self, incidents: Sequence[str]) -> list[IncidentMark]:
        """Who has taken up any of these, in the order in which they did."""
        places = ", ".join("?" * len(incidents))
        rows = self._rows(
            f"SELECT incident, at_ns, who, note FROM incident_mark WHERE incident IN ({places}) ORDER BY id",  # noqa: S608
            tuple(incidents),
        )
        return [IncidentMark(incident=one, at_ns=at_ns, who=who, note=note) for one, at_ns, who, note in rows]


def _user(row: Row) -> User:
    name, role, secret, made_ns, changed_ns = row
    return User(name=name, role=Role(int(role)), secret=secret, made_ns=made_ns, changed_ns=changed_ns)


def _session(row: Row) -> Session:
    user, source, made_ns, seen_ns = row
    return Session(user=user, source=source, made_ns=made_ns, seen_ns=seen_ns)


def _link(row: Row) -> WallLink:
    link_id, label, made_by, made_ns, until_ns = row
    return WallLink(id=link_id, label=label, made_by=made_by, made_ns=made_ns, until_ns=until_ns)
