"""The probe's side of the enrolment desk: find the hub by its pin, then speak TLS with it. Blocking; base install only."""

from __future__ import annotations

import contextlib
import hmac
import http.client
import ssl
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from config.address import parse_address
from probes.enrolment.pin import pin_of
from telemetry.grant import MAX_ANSWER_BYTES, Confirmation, Grant, Redemption, Refusal
from telemetry.signing import confirmation_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TIMEOUT_S: Final = 10.0
T = TypeVar("T")


class DeskError(Exception):
    """The desk did not do it; the text says why, in a line."""


class UnreachableError(DeskError):
    """Nobody there, or no TLS: it may be tried again."""


class RefusedError(DeskError):
    """The desk said no: trying again will not help."""


class PinError(DeskError):
    """Somebody else is there: an authority with another key."""


def redeem(hubs: Sequence[str], pin: str, token: str, nonce: str) -> tuple[Grant, str]:
    """Redeem a token at the first of the hub's addresses that answers; the grant, and the host that gave it.

    Raises:
        DeskError: none of them answers, one is not our hub, or it refuses.
    """
    body = msgspec.json.encode(Redemption(token=token, nonce=nonce))

    def ask(address: str) -> tuple[Grant, str]:
        answer = _post(address, _authority(address, pin), "/redeem", body)
        try:
            grant = msgspec.json.decode(answer, type=Grant)
        except msgspec.MsgspecError as error:
            raise RefusedError(f"{address}: its answer cannot be understood ({error})") from error
        parsed = parse_address(address)
        return grant, parsed.host if parsed else address

    return _first(hubs, ask)


def confirm(hubs: Sequence[str], pin: str, whose: tuple[str, str, int], key: bytes) -> None:
    """Tell the hub that the credentials of (site, probe, generation) are on disk.

    Raises:
        DeskError: it could not be told.
    """
    site, probe, generation = whose
    signature = confirmation_signature(key, site, probe, generation)
    word = Confirmation(site=site, probe=probe, generation=generation, signature=signature)
    body = msgspec.json.encode(word)
    _first(hubs, lambda address: _post(address, _authority(address, pin), "/confirm", body))


def _first(hubs: Sequence[str], ask: Callable[[str], T]) -> T:
    """The answer of the first that can be reached; a wrong pin at one of them does not keep us from the next."""
    failures: list[DeskError] = []
    for address in hubs:
        try:
            return ask(address)
        except (UnreachableError, PinError) as error:
            failures.append(error)
    worst = next((error for error in failures if isinstance(error, PinError)), None)
    raise worst or UnreachableError("; ".join(map(str, failures)) or "there is no address of the hub")


def _authority(address: str, pin: str) -> str:
    """The hub's authority, fetched from whoever answers and believed only if it has the pin that we were given.

    Raises:
        DeskError: nobody answers, or the pin is another.
    """
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE  # the pin decides; nothing secret is sent here
    pem = _ask(address, anyone, "GET", "/ca", b"").decode("ascii", "replace")
    try:
        found = pin_of(pem)
    except ValueError as error:
        raise PinError(f"{address} is not our hub: what it calls its authority is no certificate") from error
    if not hmac.compare_digest(found.encode(), pin.encode()):
        raise PinError(f"{address} is not our hub: its authority has the pin {found}, ours has {pin}")
    return pem


def _post(address: str, authority: str, path: str, body: bytes) -> bytes:
    """Ask the desk whose certificate the authority vouches for, name and dates included."""
    try:
        context = ssl.create_default_context(cadata=authority)
    except ssl.SSLError as error:
        raise PinError(f"{address}: its authority cannot be used ({error})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return _ask(address, context, "POST", path, body)


def _ask(address: str, context: ssl.SSLContext, method: str, path: str, body: bytes) -> bytes:
    where = parse_address(address)
    if where is None:
        raise UnreachableError(f"{address!r} is not host:port")
    connection = http.client.HTTPSConnection(where.host, where.port, timeout=TIMEOUT_S, context=context)
    try:
        connection.request(method, path, body or None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER_BYTES + 1)
    except ssl.SSLCertVerificationError as error:
        raise PinError(f"{address}: its certificate is not good: {error.verify_message}") from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreachableError(f"{address}: {why}") from error
    finally:
        connection.close()
    if len(answer) > MAX_ANSWER_BYTES:
        raise RefusedError(f"{address}: an answer of over {MAX_ANSWER_BYTES} bytes is none of our hub's")
    if response.status != http.HTTPStatus.OK:
        raise _no(address, response.status, answer)
    return answer


def _no(address: str, status: int, answer: bytes) -> DeskError:
    why = f"status {status}"
    with contextlib.suppress(msgspec.MsgspecError):
        why = msgspec.json.decode(answer, type=Refusal).detail
    later = status in {http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS}
    return (UnreachableError if later else RefusedError)(f"{address}: {why}")
