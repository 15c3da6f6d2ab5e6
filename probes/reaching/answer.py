"""What came of one question."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from telemetry.messages import ReachOutcome

_UNREACHABLE: Final = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_EXPIRED: Final = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""
PRESENT: Final = {ReachOutcome.ANSWERED, ReachOutcome.CERTIFICATE, ReachOutcome.EXPIRED}
"""Something is there: a certificate is for people to look at, and may be this machine's own trouble."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, and how long it took, ms."""

    outcome: ReachOutcome
    took_ms: float | None = None
    why: str = ""
    connect_ms: float | None = None
    handshake_ms: float | None = None
    certificate_until_ns: int | None = None

    @property
    def answered(self) -> bool:
        """Whether something is there."""
        return self.outcome in PRESENT


def answer_of(error: Exception) -> Answer:
    """What an error while asking means."""
    if isinstance(error, TimeoutError):
        return Answer(ReachOutcome.TIMEOUT, why="no answer in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        expired = error.verify_code == _EXPIRED
        outcome = ReachOutcome.EXPIRED if expired else ReachOutcome.CERTIFICATE
        return Answer(outcome, why=f"certificate: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return Answer(ReachOutcome.TLS_FAILED, why=f"TLS: {error.reason or error}")
    if isinstance(error, ConnectionRefusedError):
        return Answer(ReachOutcome.REFUSED, why="refused: nobody listens on this port")
    if isinstance(error, ConnectionError):
        return Answer(ReachOutcome.GARBLED, why="it hung up without an answer")
    if isinstance(error, socket.gaierror):
        return Answer(ReachOutcome.NAME_UNKNOWN, why=f"the name is not known: {error.strerror}")
    if isinstance(error, ValueError):
        return Answer(ReachOutcome.GARBLED, why=str(error))
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return Answer(ReachOutcome.UNREACHABLE, why=f"no way leads there: {error.strerror}")
    return Answer(ReachOutcome.OWN_TROUBLE, why=f"could not be asked: {error}")
