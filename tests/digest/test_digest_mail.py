"""One digest by a real mail server: both languages, text and HTML that says the same and asks nobody for anything."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

from alerts.delivery.outbox import Delivery
from collector.broker.ports import free_port
from tests.digest.desk import ns

if TYPE_CHECKING:
    from tests.digest.desk import Desk


class Texts(HTMLParser):
    """What a reader sees of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append(" ".join(data.split()))


class Sink:
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.taken: dict[str, Any] = {}

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken[envelope.rcpt_tos[0]] = message_from_bytes(envelope.content, policy=policy.default)
        return "250 taken"


def test_a_digest_arrives_in_both_languages(desk: Desk) -> None:
    """Posted, delivered by SMTP, and whole: subject, text and HTML in the reader's language."""
    sink = Sink()
    port = free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    delivery = Delivery(desk.state, patience_s=60)
    try:
        desk.configure("", f"smtp_port = {port}")
        desk.says()
        assert desk.look("10:00") == 2
        for _ in range(3):
            delivery.step(desk.live.current, ns("10:00"))
    finally:
        delivery.close()
        controller.stop()
    assert set(sink.taken) == {"meena@hq.example", "john@hq.example"}
    for address, language, office in (
        ("meena@hq.example", "hi", "मथुरा"),
        ("john@hq.example", "en", "Mathura"),
    ):
        mail = sink.taken[address]
        text = mail.get_body(("plain",)).get_content()
        page = mail.get_body(("html",)).get_content()
        assert list(mail.iter_attachments()) == []
        assert f'<html lang="{language}">' in page
        assert office in text
        seen = Texts()
        seen.feed(page)
        said = " ".join(text.replace("•", " ").split()).replace(": ", " ")
        for words in seen.found:
            assert words.replace(": ", " ") in said, words
        assert not re.search(r"https?://|src=|@import|<script", page)
        assert mail["subject"].split(":")[0] in page
