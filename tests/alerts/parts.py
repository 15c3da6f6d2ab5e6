"""A configuration with people and channels, alerts to speak of, and a web server that answers as it is told."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

from config.live import LiveConfig
from telemetry.alerting import Alert, AlertState, Kind, Post, Severity
from telemetry.decisions import Action, Reason, ReasonCode
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

STARTS_NS: Final = 1_795_498_200 * SECOND_NS
"""2026-11-24 05:30 UTC: the review begins."""
NOW_NS: Final = STARTS_NS - HOUR_NS
SITES: Final = """id,name_en,name_hi,region,lat,lon,status,language,contact_email
agra,Agra,आगरा,braj,27.18,78.01,linked,hi,agra@office.example
etah,Etah,एटा,braj,27.56,78.66,linked,en,etah@office.example
"""
PEOPLE: Final = """id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings
asha,Asha Verma,noc,all,en,asha@noc.example,+915550100,mail,,4,
ravi,रवि सिंह,noc,all,hi,ravi@noc.example,+915550101,hook,,,
"""
CALENDAR: Final = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:review
SUMMARY:समीक्षा बैठक
X-TATPAR-TITLE-EN:Review
DTSTART:20261124T053000Z
DTEND:20261124T063000Z
ATTENDEE:site:agra
ATTENDEE:site:etah
X-TATPAR-PROFILE:video-720p
X-TATPAR-END:state
END:VEVENT
END:VCALENDAR
"""


def made_live(folder: Path, alerts: str = "", delivery: str = "", channels: str = "") -> LiveConfig:
    """A configuration whose `[alerts]`, `[alerts.delivery]` and `[alerts.channels]` hold what is given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "meetings").mkdir(exist_ok=True)
    (folder / "meetings" / "review.ics").write_text(CALENDAR.replace("\n", "\r\n"), encoding="utf-8")
    channels = channels or 'hook = "http://127.0.0.1:9/none"\n'
    (folder / "tatpar.toml").write_text(
        f'[deployment]\nnoc_phone = "0522 000000"\n[alerts]\n{alerts}\n[alerts.channels]\n{channels}\n'
        f"[alerts.delivery]\n{delivery}\n",
        encoding="utf-8",
    )
    return LiveConfig(folder / "tatpar.toml")


def an_alert(alert_id: str = "K7M2PQ", site: str = "agra", **changes: Any) -> Alert:
    """An office that will not hold the review, told already."""
    fields: dict[str, Any] = {
        "id": alert_id,
        "kind": Kind.NOT_READY,
        "state": AlertState.FIRING,
        "severity": Severity.WARNING,
        "site": site,
        "meeting": "review",
        "occurrence_ns": STARTS_NS,
        "starts_ns": STARTS_NS,
        "ends_ns": STARTS_NS + HOUR_NS,
        "reason": Reason(code=ReasonCode.LOSS_UP, value=0.041, limit=0.01, unit="ratio"),
        "action": Action.RESTART_ROUTER,
        "probability": 0.3,
        "since_ns": NOW_NS - 300 * SECOND_NS,
        "pending_ns": NOW_NS - 300 * SECOND_NS,
        "fired_ns": NOW_NS - 200 * SECOND_NS,
    }
    return Alert(**{**fields, **changes})


def a_post(key: str, **changes: Any) -> Post:
    """A mail to somebody who has no limit."""
    fields: dict[str, Any] = {
        "key": key,
        "person": "",
        "channel": "mail",
        "recipient": "list@hq.example",
        "subject": f"about {key}",
        "body": "text\n",
        "due_ns": NOW_NS,
    }
    return Post(**{**fields, **changes})


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Receiver:
    """A web server; `answers` are (status, headers) in turn, then 200. "hang" says nothing until it is let go."""

    answers: list[tuple[int, dict[str, str]] | str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    shown = json.loads(body)
                except ValueError:
                    shown = body.decode()
                receiver.requests.append(Request(self.path, headers, shown))
                receiver.answer(self)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        answer = self.answers.pop(0) if self.answers else (200, {})
        if isinstance(answer, str):
            self.let_go.wait(60)
            return
        status, headers = answer
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
