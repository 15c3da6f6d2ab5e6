"""One POST over HTTP: its status, what it says of when to come again, and a limit on the whole of it."""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from alerts.delivery.deadline import deadline
from alerts.delivery.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

FINAL: Final = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422, 501})
"""The message itself is refused. What a change over there may mend (401, 403, 404) is tried again."""
_SHOWN: Final = 200


def post(url: str, body: bytes, headers: Mapping[str, str], limit_s: float) -> str:
    """Send a body and return the status line; user and password of the address go as Basic.

    Raises:
        DeliveryError: it was not answered with 2xx within the limit. A redirect is not followed: it would take
            the message, and the password, to where nobody wrote it.
    """
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    connection = _connection(parts, limit_s)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"content-type": "application/json", "user-agent": "tatpar", **_basic(parts), **headers}
    with deadline(limit_s, lambda: connection.sock) as has_passed:
        try:
            connection.request("POST", path, body, sent)
            answer = connection.getresponse()
            said = answer.read(_SHOWN).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = f"no answer within {limit_s:g} s" if has_passed() or isinstance(error, TimeoutError) else ""
            raise DeliveryError(f"{where}: {why or str(error) or type(error).__name__}") from error
        finally:
            connection.close()
    line = f"{answer.status} {answer.reason}".strip()
    if 200 <= answer.status < 300:
        return f"{where} answered {line}"
    told = " ".join(said.split())
    raise DeliveryError(
        f"{where} answered {line}" + (f": {told}" if told else ""),
        final=answer.status in FINAL or 300 <= answer.status < 400,
        retry_after_s=retry_after_s(answer.headers.get("Retry-After", "")),
    )


def retry_after_s(text: str) -> float | None:
    """The seconds of a Retry-After header, which gives them or a date (RFC 9110 10.2.3); None when it is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _connection(parts: SplitResult, limit_s: float) -> http.client.HTTPConnection:
    host = str(parts.hostname)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, parts.port, timeout=limit_s, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, parts.port, timeout=limit_s)


def _basic(parts: SplitResult) -> dict[str, str]:
    if parts.username is None and parts.password is None:
        return {}
    return basic(unquote(parts.username or ""), unquote(parts.password or ""))


def basic(user: str, password: str) -> dict[str, str]:
    """The header of a log-in by name and password (RFC 7617)."""
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}
