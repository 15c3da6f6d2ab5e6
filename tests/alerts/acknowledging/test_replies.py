"""Replies by mail, through real SMTP conversations: a person's counts, a machine's does not, a stranger's is refused."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from alerts import links
from alerts.acknowledging import marks
from alerts.acknowledging.note import note_of
from alerts.links import reply_token
from telemetry.alerting import AlertState
from telemetry.windows import DAY_NS, HOUR_NS
from tests.alerts.acknowledging.conftest import replies_taken
from tests.alerts.parts import NOW_NS, a_post, an_alert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.alerts.acknowledging.conftest import Desk

TEXT = """देख लिया, लाइन वाले को
फ़ोन किया।

On Tue, 24 Nov 2026 at 10:00, Tatpar <tatpar@hq.example> wrote:
> राउटर बंद करके चालू करें।
"""


@pytest.fixture
def desk(bare: Desk) -> Iterator[Desk]:
    with replies_taken(bare) as listening:
        yield listening


@pytest.fixture
def token(desk: Desk) -> str:
    """The mark of the message that ravi got about the alert."""
    desk.state.post(
        [a_post("K7M2PQ/0/ravi/1", person="ravi", alert="K7M2PQ", expires_ns=NOW_NS + HOUR_NS)], NOW_NS
    )
    return reply_token(desk.secret, "K7M2PQ/0/ravi/1")


def reply(text: str = TEXT, **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "somebody@elsewhere.example"
    mail["To"] = "ack@hub.example"
    mail["Subject"] = "Re: आगरा"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def hand_in(desk: Desk, mail: EmailMessage | bytes, to: str, sender: str = "ravi@noc.example") -> str:
    """What the mail server of the organisation does; the last answer."""
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=60) as server:
        server.ehlo()
        server.mail(sender)
        code, text = server.rcpt(to)
        if code == 250:
            code, text = server.data(mail if isinstance(mail, bytes) else mail.as_bytes())
    return f"{code} {text.decode()}"


def taken_by(desk: Desk) -> str:
    alert = desk.state.alert("K7M2PQ")
    assert alert is not None
    return alert.acknowledged_by


def test_a_reply_acknowledges(desk: Desk, token: str) -> None:
    """The mark in the address says whose it is, whatever the From line says; what was written new becomes the note."""
    assert hand_in(desk, reply(), f"ack+{token.upper()}@HUB.example").startswith("250")
    alert = desk.state.alert("K7M2PQ")
    assert alert is not None
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "रवि सिंह")
    assert alert.note == "देख लिया, लाइन वाले को फ़ोन किया।"


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_a_reply_that_lost_its_address(desk: Desk, token: str, header: str) -> None:
    """Sent to the bare address it is known by what it refers to."""
    mail = reply(**{header: f"<other@x.example> <{token}@hq.example>"})
    assert hand_in(desk, mail, "ack@hub.example").startswith("250")
    assert taken_by(desk) == "रवि सिंह"


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({"Auto_Submitted": "auto-replied (vacation)"}, "ravi@noc.example"),
        ({"Precedence": "bulk"}, "ravi@noc.example"),
        ({"X_Autoreply": "yes"}, "ravi@noc.example"),
        ({"List_Id": "<noc.example>"}, "ravi@noc.example"),
        ({}, ""),
    ],
    ids=["auto-submitted", "bulk", "autoreply", "list", "bounce"],
)
def test_machines_acknowledge_nothing(desk: Desk, token: str, headers: dict[str, str], sender: str) -> None:
    """Holiday replies, lists and bounces are taken, so that nothing bounces back, and left aside."""
    assert hand_in(desk, reply(**headers), f"ack+{token}@hub.example", sender).startswith(
        "250 2.0.0 automatic"
    )
    assert not taken_by(desk)


@pytest.mark.parametrize(
    "subject", ["Automatic reply: आगरा", "Out of Office: back on Monday", "स्वचालित उत्तर: छुट्टी पर"]
)
def test_holiday_replies_of_programs_that_keep_to_no_rule(desk: Desk, token: str, subject: str) -> None:
    """Those that say only in their subject what they are."""
    mail = reply()
    mail.replace_header("Subject", subject)
    hand_in(desk, mail, f"ack+{token}@hub.example")
    assert not taken_by(desk)


@pytest.mark.parametrize(
    "to",
    [
        "ack+aaaaaaaaaaaaaaaaaaaaaaaa@hub.example",
        "ack+x@hub.example",
        "root@hub.example",
        "{token}@else.example",
    ],
)
def test_addresses_that_lead_to_nothing(desk: Desk, token: str, to: str) -> None:
    """An unknown mark, another name, another host: refused before the message is sent."""
    assert hand_in(desk, reply(), to.replace("{token}", f"ack+{token}")).startswith("550 5.1.1")
    assert not taken_by(desk)


def test_a_reply_that_refers_to_nothing(desk: Desk, token: str) -> None:  # noqa: ARG001 - there is a message
    """To the bare address, with nothing of ours in it: refused."""
    assert hand_in(desk, reply(), "ack@hub.example").startswith("550 5.1.1")


def test_too_late_and_over(desk: Desk, token: str) -> None:
    """An hour after the message's end, or when the alert is over, there is nothing to acknowledge."""
    desk.clock.advance(3 * HOUR_NS)
    assert "too late" in hand_in(desk, reply(), f"ack+{token}@hub.example")
    desk.clock.advance(60 * DAY_NS)
    assert hand_in(desk, reply(), f"ack+{token}@hub.example").startswith("550 5.1.1")
    desk.clock.advance(-60 * DAY_NS - 3 * HOUR_NS)
    desk.state.put_alerts([an_alert(state=AlertState.RESOLVED, resolved_ns=NOW_NS)], [], NOW_NS)
    assert "too late" in hand_in(desk, reply(), f"ack+{token}@hub.example")


def test_an_answer_to_what_it_was_before_it_got_worse(desk: Desk, token: str) -> None:
    """It is taken, so that nothing bounces, and acknowledges nothing."""
    desk.state.put_alerts([an_alert(turn=1)], [], NOW_NS)
    assert "worse since" in hand_in(desk, reply(), f"ack+{token}@hub.example")
    assert desk.state.alert("K7M2PQ") == an_alert(turn=1)


def test_each_message_is_marked_once(bare: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many unknown marks are asked for; what is put in later is found, and the oldest is forgotten."""
    made: list[str] = []
    monkeypatch.setattr(links, "reply_token", lambda _secret, key: made.append(key) or f"mark of {key}")
    monkeypatch.setattr(marks, "MOST", 2)
    index = marks.Marks(bare.state, bare.secret)
    for key in ("a", "b", "c"):
        bare.state.post([a_post(key, alert="K7M2PQ")], NOW_NS)
        assert index.find(["unknown"], NOW_NS) is None
        found = index.find(["unknown", f"mark of {key}"], NOW_NS)
        assert found is not None
        assert found.key == key
    assert made == ["a", "b", "c"]
    assert index.find(["mark of a"], NOW_NS) is None
    assert index.find(["mark of c"], NOW_NS + 31 * DAY_NS) is None


def test_a_page_of_html_is_read_to_a_limit() -> None:
    """What looks for tags sees the first 8,192 characters."""
    mail = EmailMessage()
    mail.set_content("<p>ok</p>" + "<p></p>" * 1200 + "<p>late</p>", subtype="html")
    assert note_of(mail) == "ok"


def test_rubbish_and_giants(desk: Desk, token: str) -> None:
    """Bytes that are no message, and one above the limit, break nothing."""
    address = f"ack+{token}@hub.example"
    hand_in(desk, b"\xff\xfe\x00 no header\r\nContent-Type: multipart/;;=?\r\n\r\n\x80", address)
    assert hand_in(desk, b"Subject: x\r\n\r\n" + b"a line of text\r\n" * 150_000, address).startswith("552")
    hand_in(
        desk,
        b"Content-Type: text/plain; charset=nosuch\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        address,
    )
    assert taken_by(desk) == "रवि सिंह"


def test_only_html(desk: Desk, token: str) -> None:
    """A program that writes no plain text: the words are found, the quote is left out."""
    mail = reply()
    mail.set_content(
        "<html><head><style>p{}</style></head><body><p>मैं देख रहा हूँ &amp; ठीक</p><blockquote>पुराना</blockquote></body></html>",
        subtype="html",
    )
    hand_in(desk, mail, f"ack+{token}@hub.example")
    alert = desk.state.alert("K7M2PQ")
    assert alert is not None
    assert alert.note == "मैं देख रहा हूँ & ठीक"
