"""A webhook that answers, refuses, asks for patience, hangs; and the same through apprise."""

from __future__ import annotations

import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from alerts.delivery import through_apprise, webhook
from alerts.delivery.errors import DeliveryError
from alerts.delivery.outbox import Delivery
from alerts.delivery.web import post, retry_after_s
from telemetry.state.outbox import OutboxRow
from telemetry.windows import SECOND_NS
from tests.alerts.parts import NOW_NS, a_post, made_live

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from tests.alerts.parts import Receiver

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)  # apprise imports it
MESSAGE = OutboxRow("K7M2PQ/ravi/1", "hook", "+915550101", "", "आगरा: राउटर बंद करके 1 मिनट बाद चालू करें।", NOW_NS, 0, None, "",
                    person="ravi", template="T02-hi", variables=("आगरा", "4"), alert="K7M2PQ")  # fmt: skip


def configured(
    folder: Path, receiver: Receiver, url: str = "http://127.0.0.1:{port}/a", limit_s: float = 20
) -> Config:
    channels = f'hook = "{url.replace("{port}", str(receiver.port))}"\n'
    return made_live(
        folder, channels=channels, delivery=f'attempt_s = {limit_s}\ntemplates = {{ "T02-hi" = "1207" }}'
    ).current


def test_what_a_webhook_gets(tmp_path: Path, receiver: Receiver) -> None:
    """Text, template and variables as JSON; the same key each time; places of the address filled and escaped."""
    url = "http://noc:p%40ss@127.0.0.1:{port}/to/{phone}?t={template}&m={text}&e={email}"
    config = configured(tmp_path, receiver, url)
    assert webhook.send(MESSAGE, (), config).endswith("answered 200 OK")
    webhook.send(MESSAGE, (), config)
    first, second = receiver.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["x-tatpar-template"] == "T02-hi"
    assert first.headers["authorization"] == "Basic bm9jOnBAc3M="
    assert first.path.startswith("/to/%2B915550101?t=1207&m=%E0%A4%86")
    assert first.path.endswith("&e=ravi%40noc.example")
    assert first.body == {
        "key": MESSAGE.key, "alert": "K7M2PQ", "person": "ravi", "recipient": "+915550101", "urgent": False,
        "template": "T02-hi", "provider_template": "1207", "variables": ["आगरा", "4"], "subject": "", "text": MESSAGE.body,
    }  # fmt: skip


def test_a_webhook_that_is_busy_gets_it_later_and_once(tmp_path: Path, state, receiver: Receiver) -> None:
    """500, then 429 with Retry-After, then 200: it arrives, and not before the time that was asked for."""
    receiver.answers = [(500, {}), (429, {"Retry-After": "300"})]
    config = configured(tmp_path, receiver)
    delivery = Delivery(state, patience_s=60)
    state.post([a_post("a", channel="hook")], NOW_NS)
    delivery.step(config, NOW_NS)
    (row,) = state.waiting(1)
    assert "answered 500" in row.error
    second_ns = row.due_ns
    delivery.step(config, second_ns)
    assert "answered 429" in state.waiting(1)[0].error
    delivery.step(config, second_ns + 299 * SECOND_NS)
    assert len(receiver.requests) == 2
    delivery.step(config, second_ns + 301 * SECOND_NS)
    delivery.step(config, second_ns + 999 * SECOND_NS)
    assert len(receiver.requests) == 3
    assert state.outbox(1)[0].sent_ns is not None


def test_a_webhook_that_hangs_is_given_up(tmp_path: Path, receiver: Receiver) -> None:
    """One that says nothing costs the limit of an attempt, and says so."""
    receiver.answers = ["hang"]
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:\d+: no answer within 0\.2 s") as caught:
        webhook.send(MESSAGE, (), configured(tmp_path, receiver, limit_s=0.2))
    assert not caught.value.final


def test_a_server_that_drips_is_cut() -> None:
    """One that sends a letter now and then, so that no single read is late, is cut after the limit of the whole."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            caller, _ = server.accept()
            with caller:
                while not stop.wait(0.02):
                    try:
                        caller.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(DeliveryError):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, 0.3)
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("status", "final"), [(400, True), (422, True), (302, True), (401, False), (404, False), (503, False)]
)
def test_what_is_final(tmp_path: Path, receiver: Receiver, status: int, final: bool) -> None:
    """What is wrong with the message is final, also a redirect, which is not followed; what may be mended there is not."""
    receiver.answers = [(status, {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"})]
    with pytest.raises(DeliveryError) as caught:
        webhook.send(MESSAGE, (), configured(tmp_path, receiver))
    assert caught.value.final is final
    assert len(receiver.requests) == 1


def test_retry_after_as_seconds_and_as_a_date() -> None:
    """Both forms of RFC 9110, a time that is over, and rubbish."""
    soon = retry_after_s(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert soon is not None
    assert 3000 < soon <= 3600
    assert retry_after_s("120") == 120
    assert retry_after_s("Tue, 24 Nov 2020 05:30:00 GMT") == 0
    assert [retry_after_s(text) for text in ("", "soon", "-5", "1e9")] == [None] * 4


def test_apprise_is_asked_and_its_refusal_is_seen(tmp_path: Path, receiver: Receiver, caplog) -> None:
    """Another scheme goes through apprise: taken, refused, and an address that it cannot read; no password is said."""
    config = configured(tmp_path, receiver, "json://noc:hunter2@127.0.0.1:{port}/a")
    with caplog.at_level(logging.DEBUG):
        assert through_apprise.send(MESSAGE, (), config) == "json: taken"
        assert receiver.requests[0].body["message"] == MESSAGE.body
        receiver.answers = [(500, {})]
        with pytest.raises(DeliveryError, match="json: not taken") as refused:
            through_apprise.send(MESSAGE, (), config)
        assert not refused.value.final
        with pytest.raises(DeliveryError, match=r"cannot read the nosuch:// address") as unknown:
            through_apprise.send(MESSAGE, (), configured(tmp_path, receiver, "nosuch://hunter2/x"))
        assert unknown.value.final
    assert "hunter2" not in caplog.text


def test_apprise_that_hangs_is_given_up(tmp_path: Path, receiver: Receiver) -> None:
    """A service behind apprise that says nothing costs the limit too."""
    receiver.answers = ["hang"]
    with pytest.raises(DeliveryError, match=r"json: no answer within 0\.5 s"):
        through_apprise.send(
            MESSAGE, (), configured(tmp_path, receiver, "json://127.0.0.1:{port}/a", limit_s=0.5)
        )
