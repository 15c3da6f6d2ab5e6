"""What lets somebody acknowledge an alert without a log-in: signed links, and the marks by which a reply is known.

A link is good for one alert as it was told (its turn), one person and one thing (to acknowledge), until its time. The key lies in the data folder, readable
by the hub alone; whoever has it could acknowledge everything, and do nothing else.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from itsdangerous import BadSignature, Signer
from itsdangerous.signer import HMACAlgorithm

from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config

FILE: Final = "ack.key"
GRACE_NS: Final = 3600 * SECOND_NS
"""A link is good for an hour after the end of the meeting that it is about."""
_FORM: Final = re.compile(
    r"[A-Za-z0-9]{1,16}\.[a-z0-9:-]{1,100}\.[a-z0-9]{1,12}(\.[1-9][0-9]{0,5})?\.[A-Za-z0-9_-]{20}"
)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_SIGNATURE_BYTES: Final = 15
"""120 bits: 20 characters of a link that may have to go into an SMS."""


class Wrong(StrEnum):
    """Why a link is not followed."""

    FOREIGN = "foreign"
    """Not signed by this hub, or damaged."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Link:
    """What a good link says."""

    alert: str
    person: str
    expires_ns: int
    turn: int = 0
    """`Alert.turn` of what was told; the alert may have got worse since."""


class _Algorithm(HMACAlgorithm):
    """HMAC-SHA-256, shortened (NIST SP 800-107 5.3.3: at least 32 bits; this is 120)."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_SIGNATURE_BYTES]


def secret(data_dir: Path) -> bytes:
    """The key of a data folder; made at the first time, and by one process only.

    Raises:
        OSError: the folder cannot be written.
    """
    path = data_dir / FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        beside = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)  # fails when another process was quicker: its key counts
        except FileExistsError:
            pass
        finally:
            beside.unlink(missing_ok=True)
    return path.read_bytes()


def sign(secret: bytes, alert_id: str, person: str, expires_ns: int, turn: int = 0) -> str:
    """A token that lets `person` acknowledge one alert until `expires_ns`, in that turn; letters, digits and `.:-_`."""
    end = f".{turn}" if turn else ""  # the first turn is most messages: theirs stay short
    return _signer(secret).sign(f"{alert_id}.{person}.{_base36(expires_ns // SECOND_NS)}{end}").decode()


def read(secret: bytes, token: str, now_ns: int) -> Link | Wrong:
    """What a token says, or why it is not followed."""
    if (
        _FORM.fullmatch(token) is None
    ):  # base64 that is read leniently has several spellings: only ours is good
        return Wrong.FOREIGN
    try:
        alert, person, expires, *turn = _signer(secret).unsign(token).decode().split(".")
        expires_ns = int(expires, 36) * SECOND_NS
    except (BadSignature, ValueError):
        return Wrong.FOREIGN
    if now_ns >= expires_ns:
        return Wrong.EXPIRED
    return Link(alert, person, expires_ns, int(turn[0]) if turn else 0)


def ack_url(  # noqa: PLR0913, PLR0917 - what a link says
    config: Config, secret: bytes, alert_id: str, person: str, ends_ns: int, turn: int = 0
) -> str:
    """The link for a message about an alert of a meeting that ends then; empty when there is no public address."""
    base = config.settings.alerts.delivery.public_url.rstrip("/")
    return f"{base}/ack/{sign(secret, alert_id, person, ends_ns + GRACE_NS, turn)}" if base else ""


def reply_token(secret: bytes, key: str) -> str:
    """The mark of a message in its Message-ID and reply address: 24 small letters and digits, whatever becomes of their case."""
    mark = hmac.new(secret, b"tatpar.reply.1/" + key.encode(), sha256).digest()[:15]
    return b32encode(mark).decode().lower()


def _signer(secret: bytes) -> Signer:
    return Signer(secret, salt=b"tatpar.ack.1", digest_method=sha256, algorithm=_Algorithm(sha256))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
