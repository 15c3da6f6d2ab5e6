"""A small HTTP proxy in front of a database server that answers, for a while, as troubled servers do."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Faults:
    """What to answer to the next writes; the first entry is used up by each, none means: pass on."""

    plan: list[str] = field(default_factory=list)
    """`500`, `429`, `413` (status, nothing passed on), `lost` (passed on, no answer), `half` (half passed on, 500), `cut`."""
    seen: Counter[str] = field(default_factory=Counter)
    hold: threading.Event = field(default_factory=threading.Event)
    """`slow` waits for this."""


class _Handler(BaseHTTPRequestHandler):
    """One connection to a proxy."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass(b"")

    def do_POST(self) -> None:
        faults = self.server.proxy.faults
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_write = self.path.partition("?")[0].endswith("/write")
        fault = faults.plan.pop(0) if is_write and faults.plan else ""
        faults.seen[fault] += 1
        if fault in ("500", "429", "413", "401"):
            self._answer(int(fault), b"spoiled", {"Retry-After": "0.1"} if fault == "429" else {})
        elif fault == "cut":
            self.close_connection = True
        elif fault == "half":
            lines = body.split(b"\n")
            self._forward(b"\n".join(lines[: len(lines) // 2]))
            self._answer(500, b"half of it is stored", {})
        elif fault == "lost":
            self._forward(body)
            self.close_connection = True
        elif fault == "slow":
            faults.hold.wait(60)
            self._pass(body)
        else:
            self._pass(body)

    def _forward(self, body: bytes) -> urllib3.BaseHTTPResponse:
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() in ("content-type", "authorization")
        }
        return urllib3.request(
            self.command, self.server.proxy.upstream + self.path, body=body, headers=headers, retries=False
        )

    def _pass(self, body: bytes) -> None:
        try:
            answer = self._forward(body)
        except urllib3.exceptions.HTTPError:
            self.close_connection = True  # as a dead server
            return
        self._answer(answer.status, answer.data, {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0" if status == 204 else str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)


class Proxy:
    """Passes everything on to a server, but for the writes that the plan spoils."""

    def __init__(self, upstream: str) -> None:
        self.faults = Faults()
        self.upstream = upstream
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.faults.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)


def proxied(upstream: str) -> Iterator[Proxy]:
    """For fixtures."""
    proxy = Proxy(upstream)
    yield proxy
    proxy.close()
