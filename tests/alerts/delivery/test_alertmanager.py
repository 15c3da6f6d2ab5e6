"""A real Prometheus Alertmanager: what stands is firing there, what changes is said anew, what is over is resolved."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from alerts.delivery.alertmanager import Alertmanager, labels_of
from alerts.delivery.errors import DeliveryError
from alerts.delivery.outbox import Delivery
from collector.broker.ports import free_port
from telemetry.alerting import AlertState, Severity
from telemetry.state.outbox import OutboxRow
from telemetry.windows import SECOND_NS
from tests.alerts.parts import Receiver, a_post, an_alert, made_live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.config import Config
    from telemetry.state.db import StateDb

SETTINGS = "route: {receiver: none}\nreceivers: [{name: none}]\n"


@pytest.fixture(scope="module")
def url(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the server, for as long as this module's tests run."""
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "am.yml").write_text(SETTINGS, encoding="utf-8")
    port = free_port()
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={folder / 'am.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",  # or it opens a public port
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        base = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(f"{base}/-/ready"), folder / "log")
            yield base
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], log: Path | None = None) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, log.read_text()[-2000:] if log else "not within 60 s"
        time.sleep(0.05)


def standing(url: str, alert: str) -> list[dict[str, Any]]:
    """What fires there now of one alert of ours."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?filter=alert%3D%22{alert}%22", timeout=60) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def said(manager: Alertmanager, config: Config, now_ns: int) -> None:
    manager.step(config, now_ns)
    manager.wait()


@pytest.mark.server
def test_an_alert_from_its_firing_to_its_end(tmp_path: Path, state: StateDb, url: str) -> None:
    """Labels to route by, words in both languages; a changed severity replaces the old one; over is resolved at once."""
    config = made_live(tmp_path / "settings", delivery=f'alertmanager_url = "{url}"').current
    manager, now_ns = (
        Alertmanager(state),
        time.time_ns() - 10 * SECOND_NS,
    )  # an end in the future ends nothing yet
    state.put_alerts([an_alert("LIFE22", pending_ns=now_ns, fired_ns=now_ns)], [], now_ns)
    state.put_alerts([an_alert("HELD22", "etah", state=AlertState.PENDING, fired_ns=None)], [], now_ns)
    said(manager, config, now_ns)
    wait_until(lambda: len(standing(url, "LIFE22")) == 1)
    (found,) = standing(url, "LIFE22")
    assert found["labels"] == {
        "alertname": "TatparNotReady", "alert": "LIFE22", "severity": "warning", "site": "agra", "region": "braj",
        "meeting": "review",
    }  # fmt: skip
    assert "Agra" in found["annotations"]["summary_en"]
    assert "आगरा" in found["annotations"]["summary_hi"]
    assert not standing(url, "HELD22")
    state.put_alerts(
        [an_alert("LIFE22", pending_ns=now_ns, fired_ns=now_ns, severity=Severity.URGENT)], [], now_ns
    )
    said(manager, config, now_ns + SECOND_NS)
    wait_until(lambda: [a["labels"]["severity"] for a in standing(url, "LIFE22")] == ["urgent"])
    over = an_alert(
        "LIFE22", pending_ns=now_ns, fired_ns=now_ns, state=AlertState.RESOLVED, resolved_ns=now_ns + 1
    )
    state.put_alerts([over], [], now_ns)
    said(manager, config, now_ns + 2 * SECOND_NS)
    wait_until(lambda: not standing(url, "LIFE22"))


@pytest.mark.server
def test_the_channel_and_the_test_message(tmp_path: Path, state: StateDb, url: str) -> None:
    """A message of the outbox for this channel says its alert at once; the test message has a label of its own."""
    config = made_live(tmp_path / "settings", delivery=f'alertmanager_url = "{url}"').current
    now_ns = time.time_ns()
    state.put_alerts([an_alert("CHAN22", fired_ns=now_ns)], [], now_ns)
    state.post([a_post("c", channel="alertmanager", alert="CHAN22", due_ns=now_ns)], now_ns)
    delivery = Delivery(state, patience_s=60)
    assert delivery.step(config, now_ns) == 1
    delivery.close()
    wait_until(lambda: len(standing(url, "CHAN22")) == 1)
    state.post([a_post("d", channel="alertmanager", due_ns=now_ns)], now_ns)
    Delivery(state, patience_s=60).step(config, now_ns)
    assert [row.error for row in state.dead(9)] == ["there is no alert (none)"]


def test_it_is_said_again_and_again(tmp_path: Path, state: StateDb) -> None:
    """While nothing changes once a minute, each time with an end four times as far; not reached it tries sooner."""
    with Receiver() as receiver:
        config = made_live(
            tmp_path / "settings",
            delivery=f'alertmanager_url = "http://127.0.0.1:{receiver.port}/am"\nalertmanager_token = "t0ken"',
        ).current
        manager, now_ns = Alertmanager(state), 1_795_494_600 * SECOND_NS
        said(manager, config, now_ns)
        assert not receiver.requests
        state.put_alerts([an_alert()], [], now_ns)
        for second in (0, 2, 59, 60, 119, 120):
            said(manager, config, now_ns + second * SECOND_NS)
        assert [request.path for request in receiver.requests] == ["/am/api/v2/alerts"] * 3
        assert receiver.requests[0].headers["authorization"] == "Bearer t0ken"
        assert [request.body[0]["endsAt"] for request in receiver.requests] == [
            "2026-11-24T04:34:00.000+00:00",
            "2026-11-24T04:35:00.000+00:00",
            "2026-11-24T04:36:00.000+00:00",
        ]
        receiver.answers = [(503, {}), (200, {})]
        said(manager, config, now_ns + 180 * SECOND_NS)
        assert manager.is_failing
        said(manager, config, now_ns + 190 * SECOND_NS)
        assert len(receiver.requests) == 4
        said(manager, config, now_ns + 195 * SECOND_NS)
        assert not manager.is_failing
        over = an_alert(state=AlertState.RESOLVED, resolved_ns=now_ns + 200 * SECOND_NS)
        state.put_alerts([over], [], now_ns)
        del receiver.requests[:]
        for second in range(200, 800, 20):
            said(manager, config, now_ns + second * SECOND_NS)
        assert {request.body[0]["endsAt"] for request in receiver.requests} == {
            "2026-11-24T04:33:20.000+00:00"
        }
        assert 2 <= len(receiver.requests) <= 5
        manager.close()


def test_labels_leave_out_what_is_empty(tmp_path: Path) -> None:
    """An incident has no office and no meeting; its labels do not pretend."""
    config = made_live(tmp_path).current
    labels = labels_of(an_alert(site="", meeting="", incident="provider:b"), config)
    assert "site" not in labels
    assert labels["incident"] == "provider:b"


def test_a_message_about_nothing(tmp_path: Path, state: StateDb) -> None:
    """A message for the Alertmanager about an alert that is not there is refused for good."""
    row = OutboxRow("k", "alertmanager", "", "", "", 0, 0, None, "", alert="NONE22")
    with pytest.raises(DeliveryError, match="there is no alert NONE22") as caught:
        Alertmanager(state).send(row, (), made_live(tmp_path).current)
    assert caught.value.final
