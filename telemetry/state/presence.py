"""Who is on line, and when contact was lost."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from telemetry.control import Presence
from telemetry.state.database import Database, decoded, encoded


@dataclass(frozen=True, slots=True)
class OfflineSpan:
    """A time without contact to a probe, by the hub's clock."""

    site: str
    probe: str
    from_ns: int
    until_ns: int | None
    """None while it lasts."""


class PresenceTable(Database):
    """The presence of every probe as last heard, and the spans in which it was lost."""

    def set_presence(self, site: str, probe: str, presence: Presence, at_ns: int) -> None:
        """Note what was heard at a time; hearing the same again (retained messages do so) changes nothing."""
        with self._change() as change:
            change.execute(
                "INSERT INTO presence VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET body = excluded.body WHERE body != excluded.body",
                (site, probe, encoded(presence)),
            )
            if presence.online:
                change.execute(
                    "UPDATE offline SET until_ns = max(?, from_ns) WHERE site = ? AND probe = ? AND until_ns IS NULL",
                    (at_ns, site, probe),
                )
            else:
                change.execute(
                    "INSERT OR IGNORE INTO offline SELECT ?1, ?2, ?3, NULL WHERE NOT EXISTS"
                    " (SELECT 1 FROM offline WHERE site = ?1 AND probe = ?2 AND until_ns IS NULL)",
                    (site, probe, at_ns),
                )

    def presence(self) -> dict[tuple[str, str], Presence]:
        """By (site, probe), what was last heard; of one that is off line `since_ns` is when the hub heard so.

        A last will was written when its connection began, and knows nothing of its end.
        """
        rows = self._rows(
            "SELECT site, probe, body, (SELECT from_ns FROM offline WHERE offline.site = presence.site"
            " AND offline.probe = presence.probe AND until_ns IS NULL) FROM presence"
        )
        return {
            (site, probe): _dated(decoded(body, Presence), lost_ns) for site, probe, body, lost_ns in rows
        }

    def presence_spans(self, site: str, from_ns: int, until_ns: int) -> list[OfflineSpan]:
        """The times without contact to a site's probes that overlap `[from_ns, until_ns)`, by start."""
        rows = self._rows(
            "SELECT site, probe, from_ns, until_ns FROM offline WHERE site = ? AND from_ns < ?"
            " AND (until_ns IS NULL OR until_ns > ?) ORDER BY from_ns, probe",
            (site, until_ns, from_ns),
        )
        return [OfflineSpan(*row) for row in rows]


def _dated(said: Presence, lost_ns: int | None) -> Presence:
    return said if said.online or lost_ns is None else structs.replace(said, since_ns=lost_ns)
