"""Enrolling, renewing and revoking a probe: rows in the state database, secrets from the key ring."""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from collector.broker.mosquitto import password_hash
from telemetry.signing import is_signed_answer
from telemetry.state.credentials import Credential
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collector.enrolment.keys import KeyRing
    from telemetry.control import Answer
    from telemetry.state.db import StateDb

SALT_BYTES: Final = 16
HIGHEST_SSID: Final = 65_535
KEY_OVERLAP_NS: Final = 600 * SECOND_NS
"""Longer than an order waits for its start (a stage), and than a rehearsal lasts."""


class NoSsidError(RuntimeError):
    """Every STAMP session identifier is taken by a probe."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new generation of credentials, and the one-time token that leads to it."""

    credential: Credential
    token: str


def issue(  # noqa: PLR0913 - who, for whom, until when
    state: StateDb, keys: KeyRing, site: str, probe: str, *, now_ns: int, valid_ns: int, what: str = "enrol"
) -> Issued:
    """Make the next generation of a probe's credentials and a token for it.

    Raises:
        StateError: the state database cannot be written.
        NoSsidError: 65,535 probes are enrolled already.
    """
    before = [one for one in state.credentials(site) if one.probe == probe]
    number = 1 + max((one.generation for one in before), default=0)
    bare = Credential(
        site=site,
        probe=probe,
        generation=number,
        user=user_name(site, probe, number),
        password_hash="",
        salt=secrets.token_bytes(SALT_BYTES),
        ssid=_ssid(state, now_ns),
        issued_ns=now_ns,
        expires_ns=now_ns + valid_ns,
    )
    credential = _with_hash(bare, keys)
    token = secrets.token_urlsafe(32)
    state.issue_credential(credential)
    state.put_token(token_hash(token), site, probe, number, now_ns, credential.expires_ns)
    state.note_identity(now_ns, who(), what, site, probe, f"generation {number}")
    return Issued(credential, token)


def revoke(state: StateDb, site: str, probe: str | None, now_ns: int) -> list[tuple[str, str]]:
    """End all credentials of a probe, or of a site's probes; whose they were."""
    ended = state.end_credentials(site, probe, "revoked", now_ns)
    for one_site, one_probe in ended:
        state.note_identity(now_ns, who(), "revoke", one_site, one_probe)
    return ended


def current(state: StateDb, site: str, probe: str, now_ns: int) -> Credential | None:
    """The credentials that a probe uses as far as we know: the newest that it has taken."""
    taken = [c for c in state.credentials(site) if c.probe == probe and c.is_valid(now_ns) and c.taken_ns]
    confirmed = [one for one in taken if one.confirmed_ns]
    return next(iter(reversed(confirmed or taken)), None)


def reflector_keys(state: StateDb, keys: KeyRing, now_ns: int) -> list[str]:
    """The lines of a reflector's keys file: every office that may rehearse, or sign its test packets.

    The key of before is kept for a while after a rotation: a rehearsal that was ordered with it is still to be admitted.
    """
    valid = state.valid_credentials(now_ns)
    taken = {one.ssid for one in valid}
    before = [one for one in state.lately_rotated(now_ns - KEY_OVERLAP_NS) if one.ssid not in taken]
    return [
        f"{one.ssid} {keys.reflector_key(one).hex()}  # {one.site}/{one.probe}, generation {one.generation}"
        for one in (*valid, *before)
    ]


def verified(state: StateDb, keys: KeyRing | None, site: str, probe: str, answer: Answer) -> bool:
    """Whether an answer is the probe's own: signed with a key of one of its generations.

    True also for a probe that never was enrolled, which has no key, and where there is no key ring at hand: then the
    broker's access list alone vouches for it.
    """
    known = [one for one in state.credentials(site) if one.probe == probe and one.taken_ns]
    if keys is None or not known:
        return True
    return any(
        is_signed_answer(keys.command_key(one), site, probe, answer) for one in known if one.ended_ns is None
    )


def user_name(site: str, probe: str, generation: int) -> str:
    """The broker's user; no id holds a dot, so two never get the same."""
    return f"{site}.{probe}.{generation}"


def token_hash(token: str) -> bytes:
    """What is kept of a token; it has 256 random bits, so a plain hash will do."""
    return hashlib.sha256(token.encode()).digest()


def who() -> str:
    """The person at this machine, for the record; also behind `sudo`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {name}" if behind and behind != name else name


def _with_hash(bare: Credential, keys: KeyRing) -> Credential:
    return replace(bare, password_hash=password_hash(keys.password(bare)))


def _ssid(state: StateDb, now_ns: int) -> int:
    """A session identifier that no valid credential has (RFC 8972: 1 to 65,535)."""
    taken = {one.ssid for one in state.valid_credentials(now_ns)}
    if len(taken) >= HIGHEST_SSID:
        raise NoSsidError(f"{len(taken)} probes have a session identifier, there are no more")
    while (drawn := 1 + secrets.randbelow(HIGHEST_SSID)) in taken:
        continue
    return drawn
