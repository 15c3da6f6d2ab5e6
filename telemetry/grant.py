"""What an office and the enrolment desk say to each other, as JSON over HTTPS."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages import Name

MAX_REQUEST_BYTES = 4096
MAX_ANSWER_BYTES = 64 * 1024
Secret = Annotated[str, Meta(min_length=16, max_length=128)]


class Redemption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /redeem`: the one-time token, and a random number of the probe's own that makes a retry its own."""

    token: Secret
    nonce: Secret


class Confirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /confirm`: the credentials are on the probe's disk; older generations may end."""

    site: Name
    probe: Name
    generation: Annotated[int, Meta(ge=1)]
    signature: Secret


class Grant(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a redemption: all that a probe needs of its hub."""

    site: Name
    probe: Name
    generation: Annotated[int, Meta(ge=1)]
    brokers: Annotated[tuple[str, ...], Meta(min_length=1)]
    """`host:port`, best first."""
    root: str
    user: str
    password: str
    broker_ca: str = ""
    """PEM of the authority that vouches for the broker; empty when the operator chose to do without TLS."""
    ssid: Annotated[int, Meta(ge=1, le=65535)]
    """STAMP session identifier (RFC 8972, 3)."""
    reflector_key: str
    """Hex; HMAC key of STAMP's authenticated mode (RFC 8762, 4.4)."""
    command_key: str
    """Hex; HMAC key of commands and answers."""
    language: str = ""
    """The deployment's, in which whoever stands before the office's machine is spoken to; empty: the hub is older."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Why the desk did not do it."""

    error: str
    """`unknown`, `expired`, `redeemed`, `revoked`, `too_many`, `malformed`, …"""
    detail: str
