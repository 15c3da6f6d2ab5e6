"""Mail through real SMTP conversations: taken, put off, refused, cut off, encrypted."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alerts.delivery.errors import DeliveryError
from alerts.delivery.mail import Mail, envelope
from alerts.delivery.outbox import Delivery
from alerts.links import reply_token
from collector.broker.ports import free_port
from telemetry.alerting import Attachment
from telemetry.state.outbox import OutboxRow
from tests.alerts.parts import NOW_NS, a_post, made_live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from config.config import Config

SECRET = b"s" * 32
ROW = OutboxRow("K7M2PQ/asha/1", "mail", "asha@noc.example", "आगरा: तैयार नहीं", "राउटर बंद करके चालू करें।\n", NOW_NS, 0, None,
                "", person="asha", alert="K7M2PQ")  # fmt: skip


@dataclass
class Post:
    """A mail server; `answers` are given to RCPT and DATA in turn, then 250. "cut" ends the connection."""

    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    was_encrypted: bool = False
    port: int = 0

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.rcpt.pop(0) if self.rcpt else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.data.pop(0) if self.data else "250 taken as 4711"
        if answer == "cut":
            server.transport.abort()
            return "250 never said"
        if answer.startswith("250"):
            self.was_encrypted = session.ssl is not None
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return answer


@contextlib.contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[Post]:
    post = Post()
    post.port = free_port()
    controller = Controller(
        post,
        "127.0.0.1",
        post.port,
        tls_context=context,
        require_starttls=context is not None,
        ready_timeout=60,
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


@pytest.fixture
def server() -> Iterator[Post]:
    with served() as post:
        yield post


def configured(folder: Path, port: int, alerts: str = "", delivery: str = "") -> Config:
    smtp = f'smtp_host = "127.0.0.1"\nsmtp_port = {port}\nsender = "tatpar@hq.example"\n{alerts}'
    return made_live(folder, smtp, delivery).current


def test_what_a_mail_says_of_itself(tmp_path: Path, server: Post) -> None:
    """Subject and text in Hindi, a Message-ID from the key, one thread an alert, where to reply, no holiday replies."""
    config = configured(tmp_path, server.port, delivery='reply_to = "ack@hub.example"')
    page = Attachment(name="सप्ताह.pdf", media_type="application/pdf", content=b"%PDF-1.7 \x00\xff")
    assert Mail(SECRET)(ROW, (page,), config).endswith("answered 250 taken as 4711")
    (mail,) = server.taken
    token = reply_token(SECRET, ROW.key)
    assert (mail["To"], mail["Subject"]) == (ROW.recipient, ROW.subject)
    assert mail["Message-ID"] == f"<{token}@hq.example>"
    assert mail["Reply-To"] == f"ack+{token}@hub.example"
    assert mail["References"] == "<alert-K7M2PQ@hq.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == ROW.body.strip()
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (
        page.name,
        page.media_type,
        page.content,
    )


def test_only_what_is_about_an_alert_can_be_answered(tmp_path: Path) -> None:
    """A report has no reply address; without one in the settings nothing has."""
    with_one = configured(tmp_path, 25, delivery='reply_to = "ack@hub.example"').settings.alerts
    report = OutboxRow("week", "mail", "list@hq.example", "s", "b", NOW_NS, 0, None, "")
    assert envelope(report, (), with_one, SECRET)["Reply-To"] is None
    assert envelope(ROW, (), configured(tmp_path, 25).settings.alerts, SECRET)["Reply-To"] is None


def test_a_greylisting_server_gets_it_later_and_once(tmp_path: Path, state, server: Post) -> None:
    """4xx, a connection cut in the middle of the message, then 250: it arrives once."""
    server.data = ["451 greylisted", "cut"]
    config, delivery = configured(tmp_path, server.port), Delivery(state, patience_s=60)
    state.post([a_post("a")], NOW_NS)
    errors = []
    for _ in range(3):
        delivery.step(config, state.waiting(1)[0].due_ns)
        errors += [row.error for row in state.waiting(1)]
    assert errors[0] == "451 greylisted"
    assert errors[1].startswith(f"127.0.0.1:{server.port}: ")
    assert len(errors) == 2
    assert [mail["Subject"] for mail in server.taken] == ["about a"]


def test_a_refused_recipient_is_final(tmp_path: Path, state, server: Post) -> None:
    """550 for the address: no second attempt, the row lies with the dead letters under the server's own words."""
    server.rcpt = ["550 5.1.1 no such user"]
    config, delivery = configured(tmp_path, server.port), Delivery(state, patience_s=60)
    state.post([a_post("a")], NOW_NS)
    delivery.step(config, NOW_NS)
    assert [row.error for row in state.dead(9)] == ["550 5.1.1 no such user"]
    assert not server.taken


@pytest.mark.parametrize("greets", [False, True], ids=["silent", "greets-letter-by-letter"])
def test_a_server_that_hangs_is_given_up(tmp_path: Path, greets: bool) -> None:
    """One that says nothing, or never ends its line, costs the limit of an attempt and no more."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            caller, _ = server.accept()
            with caller:
                while not stop.wait(0.02):
                    try:
                        caller.sendall(b"2" if greets else b"")
                    except OSError:
                        return

        thread = threading.Thread(target=greet)
        thread.start()
        config = configured(tmp_path, server.getsockname()[1], delivery="attempt_s = 0.3")
        with pytest.raises(DeliveryError, match=r"no answer within 0\.3 s") as caught:
            Mail(SECRET)(ROW, (), config)
        assert not caught.value.final
        stop.set()
        thread.join()


def test_nobody_listens(tmp_path: Path) -> None:
    """A server that is not there is named with its port, and tried again."""
    port = free_port()
    with pytest.raises(DeliveryError, match=f"127.0.0.1:{port}: ") as caught:
        Mail(SECRET)(ROW, (), configured(tmp_path, port))
    assert not caught.value.final


def test_an_encrypted_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With STARTTLS the message goes encrypted; a certificate that nobody vouches for is not believed."""
    certificate, context = certified(tmp_path)
    with served(context) as server:
        config = configured(tmp_path / "settings", server.port, "smtp_starttls = true")
        with pytest.raises(DeliveryError, match="certificate") as caught:
            Mail(SECRET)(ROW, (), config)
        assert not caught.value.final
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        Mail(SECRET)(ROW, (), config)
        assert server.was_encrypted


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(__import__("ipaddress").ip_address("127.0.0.1"))]),
            False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context
