"""Leases: one process at a time in a role."""

from __future__ import annotations

from telemetry.state.database import Database


class LeaseTable(Database):
    """Who holds which role until when. All holders must have the same idea of the time to well within the ttl."""

    def acquire_lease(self, role: str, holder: str, now_ns: int, ttl_ns: int) -> bool:
        """Take or renew a role; False while someone else's lease has not run out.

        One that would hold for twice as long as any is given was given before the clock was set back: it counts for nothing.
        """
        with self._change() as change:
            holders = change.rows_of("SELECT holder FROM lease WHERE role = ?", (role,))
            taken = change.execute(
                "INSERT INTO lease VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " holder = excluded.holder, until_ns = excluded.until_ns"
                " WHERE holder = excluded.holder OR until_ns <= ? OR until_ns > ?",
                (role, holder, now_ns + ttl_ns, now_ns, now_ns + 2 * ttl_ns),
                quietly=holders == [(holder,)],
            )
            return bool(taken)

    def release_lease(self, role: str, holder: str) -> None:
        """Give a role back; nothing happens when someone else holds it."""
        with self._change() as change:
            change.execute("DELETE FROM lease WHERE role = ? AND holder = ?", (role, holder))

    def forget_leases(self) -> None:
        """Nobody holds any role: the file was put back from a backup."""
        with self._change() as change:
            change.execute("DELETE FROM lease")

    def lease_holder(self, role: str, now_ns: int) -> str | None:
        """Who holds a role now."""
        rows = self._rows("SELECT holder FROM lease WHERE role = ? AND until_ns > ?", (role, now_ns))
        return rows[0][0] if rows else None
