"""Credentials: which probes may speak, by which broker user, in generations so that a change needs no gap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telemetry.state.database import Database

_COLUMNS = (
    "site, probe, generation, user, password_hash, salt, ssid, issued_ns, expires_ns, taken_ns, confirmed_ns,"
    " ended_ns, ended_why"
)
_VALID = "ended_ns IS NULL AND (taken_ns IS NOT NULL OR expires_ns > ?)"


class Standing(StrEnum):
    """How a probe stands with the hub."""

    INVITED = "invited"
    """Its token waits to be redeemed."""
    ENROLLED = "enrolled"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    """Its token was not redeemed in time."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One generation of a probe's credentials."""

    site: str
    probe: str
    generation: int
    user: str
    password_hash: str
    salt: bytes
    ssid: int
    issued_ns: int
    expires_ns: int
    taken_ns: int | None = None
    confirmed_ns: int | None = None
    ended_ns: int | None = None
    ended_why: str = ""

    def is_valid(self, now_ns: int) -> bool:
        """Whether the broker lets its user in."""
        return self.ended_ns is None and (self.taken_ns is not None or self.expires_ns > now_ns)

    def standing(self, now_ns: int) -> Standing:
        """What this generation says of its probe."""
        if self.ended_ns is not None:
            return Standing.REVOKED
        if self.taken_ns is not None:
            return Standing.ENROLLED
        return Standing.INVITED if self.expires_ns > now_ns else Standing.LAPSED


class CredentialTable(Database):
    """Every generation ever issued; none is deleted, so that a user name or key never means two things."""

    def issue_credential(self, credential: Credential) -> None:
        """Keep a new generation; older ones that nobody has taken end with it.

        Raises:
            StateError: there is this generation already.
        """
        with self._change() as change:
            change.execute(
                "UPDATE credential SET ended_ns = ?, ended_why = 'replaced' WHERE site = ? AND probe = ?"
                " AND taken_ns IS NULL AND ended_ns IS NULL",
                (credential.issued_ns, credential.site, credential.probe),
            )
            change.execute(
                f"INSERT INTO credential ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    credential.site,
                    credential.probe,
                    credential.generation,
                    credential.user,
                    credential.password_hash,
                    credential.salt,
                    credential.ssid,
                    credential.issued_ns,
                    credential.expires_ns,
                    credential.taken_ns,
                    credential.confirmed_ns,
                    credential.ended_ns,
                    credential.ended_why,
                ),
            )

    def confirm_credential(self, site: str, probe: str, generation: int, at_ns: int) -> bool:
        """The probe has it on its disk and uses it: older generations end. False when it is not valid."""
        with self._change() as change:
            known = change.execute(
                "UPDATE credential SET confirmed_ns = coalesce(confirmed_ns, ?) WHERE site = ? AND probe = ?"
                " AND generation = ? AND taken_ns IS NOT NULL AND ended_ns IS NULL",
                (at_ns, site, probe, generation),
            )
            if known:
                change.execute(
                    "UPDATE credential SET ended_ns = ?, ended_why = 'rotated' WHERE site = ? AND probe = ?"
                    " AND generation < ? AND ended_ns IS NULL",
                    (at_ns, site, probe, generation),
                )
            return bool(known)

    def end_credentials(self, site: str, probe: str | None, why: str, at_ns: int) -> list[tuple[str, str]]:
        """End every generation of a probe, or of all probes of a site; whose were ended."""
        whose = ("site = ?", (site,)) if probe is None else ("site = ? AND probe = ?", (site, probe))
        with self._change() as change:
            found = change.rows_of(
                f"SELECT DISTINCT site, probe FROM credential WHERE {whose[0]} AND ended_ns IS NULL",  # noqa: S608
                whose[1],
            )
            change.execute(
                f"UPDATE credential SET ended_ns = ?, ended_why = ? WHERE {whose[0]} AND ended_ns IS NULL",  # noqa: S608
                (at_ns, why, *whose[1]),
            )
            return [(row[0], row[1]) for row in found]

    def valid_credentials(self, now_ns: int) -> list[Credential]:
        """Those whose users the broker lets in, by (site, probe, generation)."""
        return self._credentials(f"WHERE {_VALID} ORDER BY site, probe, generation", (now_ns,))

    def lately_rotated(self, since_ns: int) -> list[Credential]:
        """Generations that a newer one has followed since then, of probes that are still let in."""
        still = "EXISTS (SELECT 1 FROM credential n WHERE n.site = c.site AND n.probe = c.probe AND n.ended_ns IS NULL)"
        rows = f"WHERE ended_why = 'rotated' AND ended_ns > ? AND {still} ORDER BY site, probe, generation"
        return self._credentials(rows, (since_ns,))

    def credentials(self, site: str | None = None) -> list[Credential]:
        """Every generation, of a site or of all, by (site, probe, generation)."""
        where = ("", ()) if site is None else ("WHERE site = ? ", (site,))
        return self._credentials(f"{where[0]}ORDER BY site, probe, generation", where[1])

    def standings(self, now_ns: int) -> dict[tuple[str, str], Standing]:
        """By (site, probe), how it stands: the best that any of its generations says."""
        best: dict[tuple[str, str], Standing] = {}
        order = [Standing.LAPSED, Standing.REVOKED, Standing.INVITED, Standing.ENROLLED]
        for one in self.credentials():
            said = one.standing(now_ns)
            key = (one.site, one.probe)
            if key not in best or order.index(said) > order.index(best[key]):
                best[key] = said
        return best

    def _credentials(self, rest: str, parameters: tuple[object, ...]) -> list[Credential]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM credential c {rest}", parameters)  # noqa: S608
        return [Credential(*row) for row in rows]
