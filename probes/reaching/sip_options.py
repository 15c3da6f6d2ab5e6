"""SIP OPTIONS: "are you there?" to a room's device (RFC 3261 11), as text and back. Pure.

Whatever it answers, and be it a refusal, it is there; so a device that wants to know who asks counts as on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from config.address import HostPort

MAGIC: Final = "z9hG4bK"
"""Each branch begins so (RFC 3261 8.1.1.7)."""
HEAD_END: Final = b"\r\n\r\n"
MOST_HEAD: Final = 65_535
"""Octets of an answer that are read at most: a datagram's."""
_STATUS: Final = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?(.*)")
_FOLD: Final = re.compile(r"\r\n[ \t]+")
_COMPACT: Final = {"v": "via", "i": "call-id"}
"""Short forms of the header fields that we look at (RFC 3261 7.3.3)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One OPTIONS request: what makes its answer known again."""

    to: HostPort
    local: HostPort
    """Where the answer is to go: our socket's own address."""
    transport: str
    """`UDP` or `TCP`."""
    token: str
    """Random; branch, tag and Call-ID are made of it."""

    @property
    def branch(self) -> str:
        """Of the topmost Via."""
        return MAGIC + self.token

    @property
    def call_id(self) -> str:
        """Unique to this request."""
        return f"{self.token}@{_host(self.local.host)}"

    def pack(self) -> bytes:
        """The request as it is sent: with every field that RFC 3261 8.1.1 and 11.1 ask for, and `rport` (RFC 3581)."""
        transport = ";transport=tcp" if self.transport == "TCP" else ""
        lines = (
            f"OPTIONS sip:{self.to}{transport} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {self.local};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"To: <sip:{self.to}>",
            f"From: <sip:tatpar@{_host(self.local.host)}>;tag={self.token[:16]}",
            f"Call-ID: {self.call_id}",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:tatpar@{self.local}{transport}>",
            "Accept: application/sdp",
            "User-Agent: tatpar",
            "Content-Length: 0",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def answered_by(self, message: bytes) -> bool:
        """Whether a message is the answer: a SIP response of our branch, Call-ID and method (RFC 3261 17.1.3).

        Raises:
            ValueError: it is no SIP response at all.
        """
        head = _FOLD.sub(" ", message.partition(HEAD_END)[0].decode("utf-8", "replace"))
        first, *rest = head.split("\r\n")
        if _STATUS.fullmatch(first) is None:
            raise ValueError("it answers, but not in SIP")
        fields: dict[str, str] = {}
        for line in rest:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            fields.setdefault(_COMPACT.get(key, key), value.strip())
        sequence = fields.get("cseq", "").split()
        return (
            f"branch={self.branch}" in fields.get("via", "").split(",")[0].replace(" ", "").split(";")
            and fields.get("call-id") == self.call_id
            and sequence == ["1", "OPTIONS"]
        )


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
