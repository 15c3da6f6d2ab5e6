"""`python -m probes.rehearsing.responder_process FD`: the sessions in a process of their own, so that no test packet waits for them.

The reflector hands each admitted session over as a socket with its terms; we hand back the token when it is over.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
from typing import Final

import msgspec

from probes.rehearsing.door import Terms
from probes.rehearsing.responder import Session

TICK_S: Final = 0.004
IDLE_S: Final = 0.5
NICE: Final = -5
_LONGEST: Final = 4096
_log = logging.getLogger(__name__)


class Ended(msgspec.Struct, frozen=True):
    """A session is over."""

    token: int
    octets_sent: int


def serve(link: socket.socket) -> None:
    """Serve sessions until the reflector is gone."""
    sessions: list[Session] = []
    while True:
        link.settimeout(TICK_S if sessions else IDLE_S)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            data, files, _, _ = socket.recv_fds(link, _LONGEST, 4)
            if not data:
                return
            sessions += [_session(data, number) for number in files[:1]]
        sessions = [one for one in sessions if _goes_on(one, link)]


def _session(data: bytes, number: int) -> Session:
    sock = socket.socket(fileno=number)
    sock.setblocking(False)
    return Session(sock, msgspec.json.decode(data, type=Terms))


def _goes_on(session: Session, link: socket.socket) -> bool:
    """Let a session do what is due; one session's fault ends that session alone."""
    try:
        if session.tick():
            return True
    except Exception:  # noqa: BLE001 - whatever an office makes us stumble over, the others go on
        _log.exception("a rehearsal's session broke off", extra={"event": "rehearsal.fault"})
    session.close()
    with contextlib.suppress(OSError):
        link.send(msgspec.json.encode(Ended(session.terms.token, session.octets_sent)))
    return False


def main() -> None:
    """Run until the reflector is gone, or SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the owner's to handle
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    with socket.socket(fileno=int(sys.argv[1])) as link:
        serve(link)


if __name__ == "__main__":
    main()
