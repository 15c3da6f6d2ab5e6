"""One-time tokens, kept as hashes, and the record of who enrolled, redeemed, rotated and revoked."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from telemetry.state.database import Database

REFUSED: Final = "refused:"
"""What the record says of a token of ours that was not redeemed begins so; then why."""


class Redeemed(StrEnum):
    """What became of a token that was presented."""

    NOW = "now"
    AGAIN = "again"
    """By the one who has redeemed it, whose answer got lost."""
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    SPENT = "redeemed"
    """Redeemed by somebody else, or too long ago."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Redemption:
    """The outcome, and whose token it was (empty when it is unknown)."""

    outcome: Redeemed
    site: str = ""
    probe: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """One line of the record."""

    at_ns: int
    who: str
    what: str
    site: str
    probe: str
    detail: str


class TokenTable(Database):
    """Tokens by their SHA-256."""

    def put_token(  # noqa: PLR0913, PLR0917
        self, token_hash: bytes, site: str, probe: str, generation: int, issued_ns: int, expires_ns: int
    ) -> None:
        """Keep the hash of a token that leads to a generation of credentials; older tokens are void with theirs."""
        with self._change() as change:
            change.execute(
                "INSERT INTO enrolment_token (hash, site, probe, generation, issued_ns, expires_ns)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (token_hash, site, probe, generation, issued_ns, expires_ns),
            )

    def redeem_token(self, token_hash: bytes, nonce_hash: bytes, now_ns: int, retry_ns: int) -> Redemption:
        """Redeem a token exactly once, whoever else tries at the same moment.

        The same nonce may ask again for `retry_ns`: its answer may have been lost on the way.
        """
        with self._change() as change:
            rows = change.rows_of(
                "SELECT t.site, t.probe, t.generation, t.expires_ns, t.redeemed_ns, t.nonce_hash, c.ended_ns"
                " FROM enrolment_token t JOIN credential c USING (site, probe, generation) WHERE t.hash = ?",
                (token_hash,),
            )
            if not rows:
                return Redemption(Redeemed.UNKNOWN)
            site, probe, generation, expires_ns, redeemed_ns, nonce, ended_ns = rows[0]
            outcome = Redeemed.NOW
            if ended_ns is not None:
                outcome = Redeemed.REVOKED
            elif redeemed_ns is not None:
                same = hmac.compare_digest(nonce, nonce_hash) and now_ns < redeemed_ns + retry_ns
                outcome = Redeemed.AGAIN if same else Redeemed.SPENT
            elif now_ns >= expires_ns:
                outcome = Redeemed.EXPIRED
            if outcome is Redeemed.NOW:
                change.execute(
                    "UPDATE enrolment_token SET redeemed_ns = ?, nonce_hash = ? WHERE hash = ?",
                    (now_ns, nonce_hash, token_hash),
                )
                change.execute(
                    "UPDATE credential SET taken_ns = ? WHERE site = ? AND probe = ? AND generation = ?",
                    (now_ns, site, probe, generation),
                )
            return Redemption(outcome, site, probe, generation)

    def end_tokens(self, now_ns: int) -> int:
        """Make void every token that is not redeemed; how many that were."""
        with self._change() as change:
            return change.execute(
                "UPDATE enrolment_token SET expires_ns = ?1 WHERE redeemed_ns IS NULL AND expires_ns > ?1",
                (now_ns,),
            )

    def note_identity(  # noqa: PLR0913, PLR0917
        self, at_ns: int, who: str, what: str, site: str, probe: str, detail: str = "", keep: int = 100_000
    ) -> None:
        """Put a line on record; past `keep` lines the oldest go."""
        with self._change() as change:
            change.execute(
                "INSERT INTO identity_event (at_ns, who, what, site, probe, detail) VALUES (?, ?, ?, ?, ?, ?)",
                (at_ns, who, what, site, probe, detail),
            )
            change.execute(
                "DELETE FROM identity_event WHERE id <= (SELECT max(id) FROM identity_event) - ?", (keep,)
            )

    def refused_tokens(self, limit: int) -> list[IdentityEvent]:
        """The newest lines about tokens of ours that were refused, newest first; `who` is the address that had one."""
        rows = self._rows(
            "SELECT at_ns, who, what, site, probe, detail FROM identity_event WHERE what GLOB ?"
            " ORDER BY id DESC LIMIT ?",
            (f"{REFUSED}*", limit),
        )
        return [IdentityEvent(*row) for row in rows]

    def identity_events(self, limit: int) -> list[IdentityEvent]:
        """The newest lines of the record, newest first."""
        rows = self._rows(
            "SELECT at_ns, who, what, site, probe, detail FROM identity_event ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [IdentityEvent(*row) for row in rows]
