"""Signatures of commands and answers: HMAC-SHA-256 (RFC 2104, FIPS 180-4) with the probe's command key.

What is signed is a JSON list of every field that matters, site and probe among them, so that neither a broker that
was taken over nor a message kept from another day or meant for another probe is obeyed.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from telemetry.control import Answer, Command


def signed_command(key: bytes, site: str, probe: str, command: Command) -> Command:
    """The same command with its signature."""
    return msgspec.structs.replace(command, signature=_signature(key, _command(site, probe, command)))


def is_signed_command(key: bytes, site: str, probe: str, command: Command) -> bool:
    """Whether whoever holds the key has said this to this probe; takes the same time whatever is wrong."""
    return hmac.compare_digest(
        command.signature.encode(), _signature(key, _command(site, probe, command)).encode()
    )


def signed_answer(key: bytes, site: str, probe: str, answer: Answer) -> Answer:
    """The same answer with its signature."""
    return msgspec.structs.replace(answer, signature=_signature(key, _answer(site, probe, answer)))


def is_signed_answer(key: bytes, site: str, probe: str, answer: Answer) -> bool:
    """Whether this probe has said so."""
    return hmac.compare_digest(
        answer.signature.encode(), _signature(key, _answer(site, probe, answer)).encode()
    )


def confirmation_signature(key: bytes, site: str, probe: str, generation: int) -> str:
    """By which a probe shows the enrolment desk that it holds the credentials of a generation."""
    return _signature(key, ["tatpar-confirm-1", site, probe, generation])


def _command(site: str, probe: str, command: Command) -> list[object]:
    arguments = sorted(command.arguments.items())
    times = [command.issued_ns, command.expires_ns]
    return ["tatpar-command-1", site, probe, command.id, command.verb, arguments, *times]


def _answer(site: str, probe: str, answer: Answer) -> list[object]:
    return ["tatpar-answer-1", site, probe, answer.id, answer.ok, answer.detail]


def _signature(key: bytes, said: list[object]) -> str:
    return hmac.new(key, msgspec.json.encode(said), hashlib.sha256).hexdigest()
