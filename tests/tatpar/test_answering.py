"""Acknowledgements come in through real processes: `tatpar alerts` with listeners of its own, and the wall."""

from __future__ import annotations

import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from alerts import links
from collector.broker.ports import free_port
from telemetry.state.db import StateDb
from telemetry.windows import HOUR_NS
from tests.alerts.parts import an_alert, made_live

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TATPAR = [sys.executable, "-m", "tatpar"]


def get(url: str, host: str = "", fields: bytes | None = None) -> tuple[int, str]:
    """Status, and the policy of the page."""
    request = urllib.request.Request(url, fields, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["content-security-policy"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["content-security-policy"]


def prepared(folder: Path, delivery: str) -> str:
    """A folder with settings and one open alert; the token of a link that is good for an hour."""
    made_live(folder, delivery=delivery)
    now_ns = time.time_ns()
    with closing(StateDb(folder / "data" / "state.db")) as state:
        state.put_alerts([an_alert(starts_ns=now_ns, ends_ns=now_ns + HOUR_NS)], [], now_ns)
    return links.sign(links.secret(folder / "data"), "K7M2PQ", "asha", now_ns + HOUR_NS)


def acknowledged_by(folder: Path) -> str:
    with closing(StateDb(folder / "data" / "state.db")) as state:
        alert = state.alert("K7M2PQ")
    assert alert is not None
    return alert.acknowledged_by


@pytest.mark.server
def test_alerts_hears_links_and_replies(tmp_path: Path, wait_for: Callable[..., None]) -> None:
    """Its two listeners answer, strangers are refused, and it ends in order when told."""
    page, mail = free_port(), free_port()
    delivery = (
        f'ack_host = "127.0.0.1"\nack_port = {page}\nreply_host = "127.0.0.1"\nreply_port = {mail}\n'
        'reply_to = "ack@hub.example"'
    )
    token = prepared(tmp_path, delivery)
    command = [*TATPAR, "alerts", "--config", str(tmp_path / "tatpar.toml"), "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for port in (page, mail):
                wait_for(f"{port} is listened on", 300, lambda port=port: listens(port))
            url = f"http://127.0.0.1:{page}"
            assert get(f"{url}/ack/{token}")[0] == 200
            assert get(f"{url}/")[0] == 404
            with smtplib.SMTP("127.0.0.1", mail, timeout=60) as server:
                server.ehlo()
                server.mail("a@b.example")
                assert server.rcpt("root@hub.example")[0] == 550
            assert not acknowledged_by(tmp_path)
            assert get(f"{url}/ack/{token}", fields=b"note=")[0] == 200
            assert acknowledged_by(tmp_path) == "Asha Verma"
        finally:
            process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert "Traceback" not in said


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
    except OSError:
        return False
    return True


@pytest.mark.server
def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """Status 1 and one line that names the key."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made_live(tmp_path, delivery=f'ack_host = "127.0.0.1"\nack_port = {port}')
        command = [
            *TATPAR,
            "alerts",
            "--config",
            str(tmp_path / "tatpar.toml"),
            "--data",
            str(tmp_path / "data"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("set alerts.delivery.ack_port")
    assert "Traceback" not in done.stderr


@pytest.mark.server
def test_the_wall_serves_the_page_too(tmp_path: Path) -> None:
    """With the page's own policy; by its public name only the page, so that no foreign site reads the wall."""
    token = prepared(tmp_path, 'public_url = "https://hub.example"')
    place = ["--config", str(tmp_path / "tatpar.toml"), "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        [*TATPAR, "wall", *place, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip().rstrip("/")
        try:
            status, policy = get(f"{url}/ack/{token}", "hub.example")
            assert (status, "form-action 'self'" in policy) == (200, True)
            status, policy = get(f"{url}/")
            assert (status, "form-action 'none'" in policy) == (200, True)
            assert get(f"{url}/", "hub.example")[0] == 421
            assert get(f"{url}/ack/{token}", "evil.example")[0] == 421
            assert get(f"{url}/ack/{token}", "hub.example", b"note=")[0] == 200
            assert acknowledged_by(tmp_path) == "Asha Verma"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
