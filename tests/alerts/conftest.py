"""A state database, a configuration with a meeting soon, and a real SMTP server on loopback."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from collector.broker.ports import free_port
from config.live import LiveConfig
from telemetry.state.db import StateDb
from tests.alerts.parts import CALENDAR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path


@dataclass
class Mailbox:
    """An SMTP server that keeps what it takes; `answers` are given to DATA in turn, then 250."""

    answers: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    offered: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.offered.append(mail)
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.taken.append(mail)
        return answer


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port, ready_timeout=60)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    with contextlib.closing(StateDb(tmp_path / "state.db")) as opened:
        yield opened


SITES = """id,name_en,name_hi,region,lat,lon,status,language,contact_email
agra,Agra,आगरा,braj,27.18,78.01,linked,hi,agra@office.example
etah,Etah,एटा,braj,27.56,78.66,linked,en,etah@office.example
kannauj,Kannauj,कन्नौज,kanpur,27.06,79.92,planned,hi,kannauj@office.example
"""


@pytest.fixture
def live(tmp_path: Path, mailbox: Mailbox) -> LiveConfig:
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "meetings").mkdir()
    (tmp_path / "meetings" / "review.ics").write_text(CALENDAR.replace("\n", "\r\n"), encoding="utf-8")
    (tmp_path / "tatpar.toml").write_text(
        '[deployment]\nnoc_phone = "0522 000000"\n'
        f'[alerts]\nsmtp_host = "127.0.0.1"\nsmtp_port = {mailbox.port}\nsender = "tatpar@hq.example"\n',
        encoding="utf-8",
    )
    return LiveConfig(tmp_path / "tatpar.toml")
