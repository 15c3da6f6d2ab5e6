"""The enrolment desk: hands a probe its credentials for a one-time token, once.

    GET  /ca        the authority's certificate, for whoever compares it with the pin in hand
    POST /redeem    {token, nonce} -> Grant; the same nonce may ask again for ten minutes, should the answer get lost
    POST /confirm   the credentials are on the probe's disk: older generations end

Every refusal is one line for the field engineer and a counter.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import ssl
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from collector.enrolment.authority import Authority
from collector.enrolment.https import HttpsServer, Reply, Request
from collector.enrolment.issuing import token_hash
from collector.enrolment.keys import KeyRing
from collector.enrolment.limiter import Limiter
from collector.enrolment.strays import Strays
from collector.trouble import Trouble
from collector.worker import Worker
from config.address import counted_as
from telemetry.clock import SystemClock
from telemetry.grant import MAX_REQUEST_BYTES, Confirmation, Grant, Redemption, Refusal
from telemetry.signing import confirmation_signature
from telemetry.state.errors import StateError
from telemetry.state.tokens import REFUSED, Redeemed
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from pathlib import Path

    from telemetry.clock import WallClock
    from telemetry.state.credentials import Credential
    from telemetry.state.db import StateDb

log = logging.getLogger(__name__)
RETRY_NS: Final = 600 * SECOND_NS
RENEW_S: Final = 60.0
ROLE: Final = "enroll"
_STATUS: Final = {"too_many": 429, "malformed": 400, "not_found": 404, "unavailable": 503}
_SAID: Final = {
    Redeemed.UNKNOWN: "this token is not known here; ask the hub for a new enrolment file",
    Redeemed.EXPIRED: "this token has expired; ask the hub for a new enrolment file: tatpar enroll SITE --renew",
    Redeemed.SPENT: "this token has been redeemed already; if it was not by this machine, tell the hub at once",
    Redeemed.REVOKED: "this enrolment was revoked or replaced; ask the hub for a new enrolment file",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What every probe is told of the broker and the deployment."""

    brokers: tuple[str, ...]
    root: str
    broker_ca: str
    language: str = ""


@dataclass(slots=True)
class DeskCounters:
    """Counts since the start."""

    redeemed: int = 0
    retried: int = 0
    confirmed: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def detail(self) -> dict[str, object]:
        """As plain JSON values (`asdict` would make a counter anew out of its pairs)."""
        return {
            "redeemed": self.redeemed,
            "retried": self.retried,
            "confirmed": self.confirmed,
            "refused": dict(self.refused),
        }


class Desk:
    """Answers requests; `run` serves them."""

    def __init__(
        self, state: StateDb, folder: Path, offer: Offer, names: Sequence[str], clock: WallClock | None = None
    ) -> None:
        """Open the identity in a folder.

        Raises:
            AuthorityError, ValueError: it is damaged.
            OSError: the folder cannot be read or written.
        """
        self._clock = clock or SystemClock()
        self._state = state
        self._keys = KeyRing(folder)
        self._authority = Authority(folder, self._clock.now_ns())
        self._offer = offer
        self._names = names
        self._limiter = Limiter()
        self._worker = Worker("enrolment-desk")
        self.counters = DeskCounters()
        self._strays = Strays()
        self.trouble = Trouble(
            "the enrolment desk cannot use its certificate or the state database",
            "trying again",
            "enrolment-desk",
        )
        self._authority.renew("desk", names, self._clock.now_ns())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.load_cert_chain(self._authority.file("desk"))
        self.server = HttpsServer(self.answer, self._context, MAX_REQUEST_BYTES)

    async def run(self, listener: socket.socket) -> None:
        """Serve on a listening socket until cancelled, with a certificate that never runs out."""
        try:
            await self._run(listener)
        finally:
            self._worker.close()

    async def _run(self, listener: socket.socket) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.server.serve(listener), name="enrolment desk: serve")
            tasks.create_task(self._keep(), name="enrolment desk: keep")

    async def _keep(self) -> None:
        while True:
            try:
                await self._worker.run(self._renew_and_beat)
            except (OSError, StateError) as error:
                self.trouble.failed(error)
            else:
                self.trouble.worked()
            await asyncio.sleep(RENEW_S / 2)

    def _renew_and_beat(self) -> None:
        if self._authority.renew("desk", self._names, self._clock.now_ns()):
            self._context.load_cert_chain(self._authority.file("desk"))  # counts from the next handshake on
            log.info(
                "the enrolment desk has a new certificate", extra={"event": "enrolment.certificate-renewed"}
            )
        detail = self.counters.detail() | {
            "connections": asdict(self.server.counters),
            "strays": self._strays.detail(),
        }
        self._state.beat(ROLE, self._clock.now_ns(), detail)

    async def answer(self, request: Request) -> Reply:
        """What is answered to a request. Never raises for anything that a stranger may send."""
        if (request.method, request.path) == ("GET", "/ca"):
            return Reply(200, self._authority.certificate_pem.encode(), "application/x-pem-file")
        if not self._limiter.may_try(counted_as(request.peer), self._now_s()):
            return self._refused(request, "too_many", "too many failures from this address; wait a minute")
        if request.method != "POST" or request.path not in {"/redeem", "/confirm"}:
            return self._refused(request, "not_found", "there is /ca, /redeem and /confirm")
        try:
            return await self._worker.run(self._decide, request)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._refused(request, "malformed", "this is no request of a probe")
        except StateError as error:
            self.trouble.failed(error)
            return self._refused(
                request, "unavailable", "the hub cannot look into its records now; try again"
            )

    def _decide(self, request: Request) -> Reply:
        if request.path == "/redeem":
            return self._redeem(request, msgspec.json.decode(request.body, type=Redemption))
        return self._confirm(request, msgspec.json.decode(request.body, type=Confirmation))

    def _redeem(self, request: Request, wish: Redemption) -> Reply:
        now_ns = self._clock.now_ns()
        nonce = hashlib.sha256(wish.nonce.encode()).digest()
        found = self._state.redeem_token(token_hash(wish.token), nonce, now_ns, RETRY_NS)
        if found.outcome in _SAID:
            if found.site:
                what = f"{REFUSED}{found.outcome}"
                self._state.note_identity(now_ns, request.peer, what, found.site, found.probe, "token")
            return self._refused(
                request, found.outcome.value, _SAID[found.outcome], on_record=bool(found.site)
            )
        again = found.outcome is Redeemed.AGAIN
        self.counters.retried += again
        self.counters.redeemed += not again
        what = "redeem again" if again else "redeem"
        self._state.note_identity(
            now_ns, request.peer, what, found.site, found.probe, f"generation {found.generation}"
        )
        extra = {
            "event": "enrolment.redeemed",
            "site": found.site,
            "probe": found.probe,
            "peer": request.peer,
        }
        log.info("%s/%s has redeemed its token from %s", found.site, found.probe, request.peer, extra=extra)
        credential = self._credential(found.site, found.probe, found.generation)
        if credential is None:
            return self._refused(request, "unavailable", "the credentials of this token are gone")
        return Reply(200, msgspec.json.encode(self._grant(credential)))

    def _confirm(self, request: Request, word: Confirmation) -> Reply:
        now_ns = self._clock.now_ns()
        credential = self._credential(word.site, word.probe, word.generation)
        expected = "" if credential is None else self._confirmation(credential)
        if credential is None or not hmac.compare_digest(word.signature.encode(), expected.encode()):
            return self._refused(request, "unknown", "this is not signed by the probe that it names")
        if not self._state.confirm_credential(word.site, word.probe, word.generation, now_ns):
            return self._refused(request, "revoked", "these credentials are not valid any more")
        self.counters.confirmed += 1
        self._state.note_identity(
            now_ns, request.peer, "confirm", word.site, word.probe, f"generation {word.generation}"
        )
        return Reply(200, b"{}")

    def _confirmation(self, one: Credential) -> str:
        return confirmation_signature(self._keys.command_key(one), one.site, one.probe, one.generation)

    def _credential(self, site: str, probe: str, generation: int) -> Credential | None:
        known = self._state.credentials(site)
        return next((one for one in known if (one.probe, one.generation) == (probe, generation)), None)

    def _grant(self, one: Credential) -> Grant:
        return Grant(
            site=one.site,
            probe=one.probe,
            generation=one.generation,
            brokers=self._offer.brokers,
            root=self._offer.root,
            user=one.user,
            password=self._keys.password(one),
            broker_ca=self._offer.broker_ca,
            ssid=one.ssid,
            reflector_key=self._keys.reflector_key(one).hex(),
            command_key=self._keys.command_key(one).hex(),
            language=self._offer.language,
        )

    def _refused(self, request: Request, error: str, detail: str, *, on_record: bool = False) -> Reply:
        self.counters.refused[error] += 1
        if not on_record:
            self._strays.note(request.peer, error, self._clock.now_ns())
        if error not in {"too_many", "unavailable"}:
            self._limiter.failed(counted_as(request.peer), self._now_s())
            extra = {"event": "enrolment.refused", "peer": request.peer, "reason": error}
            log.warning("the enrolment desk refuses %s: %s", request.peer, error, extra=extra)
        return Reply(_STATUS.get(error, 403), msgspec.json.encode(Refusal(error=error, detail=detail)))

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / SECOND_NS
