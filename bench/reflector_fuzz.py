"""A million datagrams, true, cut, changed and rubbish, through our reflector: none stops it, none is amplified.

Each is answered or counted under a reason, and no reply is longer than its request but the base packet for short ones.
`--datagrams` and `--seed` choose others.
"""

from __future__ import annotations

import random
import socket
import time
from typing import TYPE_CHECKING, Final

from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_policy import ReflectorPolicy
from probes.stamp.packets import BASE
from tests.fuzz.datagrams import datagram

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

KEYS: Final = {77: b"k" * 32, 78: b"l" * 32}
_REPORT_EVERY: Final = 100_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many, and which."""
    parser.add_argument("--datagrams", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=862)


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Send them one by one, each looked at before the next."""
    chance = random.Random(options.seed)
    amplified = 0
    begun_s = time.monotonic()
    with (
        Reflector([("127.0.0.1", 0)], policy=ReflectorPolicy(keys=KEYS, short_pps=1e6)) as reflector,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.connect(reflector.addresses[0])
        for count in range(1, options.datagrams + 1):
            packet = datagram(chance, KEYS)
            sock.send(packet)
            while reflector.counters.received < count:
                reflector.serve_once(1.0)
            amplified += _replied(sock) > max(len(packet), BASE)
            if count % _REPORT_EVERY == 0:
                progress(f"{count:,} of {options.datagrams:,}")
        counts = reflector.counters
    dropped = (
        counts.too_short, counts.bad_multiplier, counts.replies, counts.not_authentic, counts.unknown_office,
        counts.limited, counts.send_failed,
    )  # fmt: skip
    return {
        "datagrams": options.datagrams,
        "answered": counts.answered,
        "dropped": sum(dropped),
        "unaccounted": counts.received - counts.answered - sum(dropped),
        "amplified": amplified,
        "not_authentic": counts.not_authentic,
        "unknown_office": counts.unknown_office,
        "tlvs_not_intact": counts.tlvs_not_intact,
        "seconds": time.monotonic() - begun_s,
    }


def failed(figures: dict[str, object]) -> bool:
    """A datagram that is not accounted for, or a reply that is too long."""
    return bool(figures["unaccounted"] or figures["amplified"])


def _replied(sock: socket.socket) -> int:
    """Octets of the reply; 0 without one, which on loopback would be there already."""
    try:
        return len(sock.recv(65_536, socket.MSG_DONTWAIT))
    except BlockingIOError:
        return 0
