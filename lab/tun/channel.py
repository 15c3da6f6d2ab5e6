"""The channel between a link's owner and its process: a line of JSON each way for each thing that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from lab.errors import LabError
from lab.tun.wire import Refused, Reply, Request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

R = TypeVar("R", bound=Reply)
_CHUNK: Final = 1 << 16
_encoder: Final = msgspec.json.Encoder()
_requests: Final = msgspec.json.Decoder(Request)
_replies: Final = msgspec.json.Decoder(Reply)


def ask(sock: socket.socket, request: Request, kind: type[R]) -> R:
    """The owner's end: the reply to a request.

    Raises:
        LabError: it was refused, or the reply is none to that.
        OSError: the process has ended, or does not answer in the socket's time.
    """
    sock.sendall(_encoder.encode(request) + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        part = sock.recv(_CHUNK)
        if not part:
            raise ConnectionError
        answer += part
    reply = _replies.decode(answer)
    if isinstance(reply, Refused):
        raise LabError(reply.why)
    if not isinstance(reply, kind):
        raise LabError(f"the link answered {type(reply).__name__} to {type(request).__name__}")
    return reply


class Channel:
    """The process's end: requests in, one reply each out."""

    def __init__(
        self, sock: socket.socket, handle: Callable[[Request], Reply], stop: Callable[[], None]
    ) -> None:
        """`stop` is called when the owner has gone."""
        self._sock = sock
        self._handle = handle
        self._stop = stop
        self._partial = b""

    def ready(self, _events: int) -> None:
        """Read what came; the end of the channel ends the process."""
        try:
            data = self._sock.recv(_CHUNK)
        except ConnectionError:
            data = b""
        if not data:
            self._stop()
            return
        *whole, self._partial = (self._partial + data).split(b"\n")
        for line in whole:
            self._sock.sendall(_encoder.encode(self._handle(_requests.decode(line))) + b"\n")
