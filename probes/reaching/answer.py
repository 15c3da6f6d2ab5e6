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
_MEANINGS: Final[tuple[tuple[type[Exception], ReachOutcome, str], ...]] = (
    (TimeoutError, ReachOutcome.TIMEOUT, "no answer in time"),
    (ConnectionRefusedError, ReachOutcome.REFUSED, "refused: nobody listens on this port"),
    (ConnectionError, ReachOutcome.GARBLED, "it hung up without an answer"),
    (socket.gaierror, ReachOutcome.NAME_UNKNOWN, "its name is not known"),
    (UnicodeError, ReachOutcome.NAME_UNKNOWN, "its name is none"),
    (ValueError, ReachOutcome.GARBLED, ""),
)
"""The first that fits."""
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
    if isinstance(error, ssl.SSLError):
        return _of_tls(error)
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return Answer(ReachOutcome.UNREACHABLE, why=f"no way leads there: {error.strerror}")
    for kind, outcome, why in _MEANINGS:
        if isinstance(error, kind):
            return Answer(outcome, why=why or str(error))
    return Answer(ReachOutcome.OWN_TROUBLE, why=f"could not be asked: {error}")


def _of_tls(error: ssl.SSLError) -> Answer:
    if isinstance(error, ssl.SSLCertVerificationError):
        expired = error.verify_code == _EXPIRED
        outcome = ReachOutcome.EXPIRED if expired else ReachOutcome.CERTIFICATE
        return Answer(outcome, why=f"certificate: {error.verify_message}")
    return Answer(ReachOutcome.TLS_FAILED, why=f"TLS: {error.reason or error}")
