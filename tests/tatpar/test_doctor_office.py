"""The doctor at an office: says in plain words what is missing between it and its hub."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from click.testing import CliRunner

from collector.broker.ports import free_port
from collector.enrolment.authority import Authority
from probes.publishing.spool import Made, Spool
from probes.reflecting.reflector import Reflector
from tatpar.__main__ import main
from telemetry.control import Plan, PlannedEnd, PlannedReach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

NOW_NS = time.time_ns()


def doctor(data: Path) -> tuple[int, dict[str, dict[str, str]]]:
    """Status and findings by subject."""
    done = CliRunner().invoke(main, ["doctor", "--data", str(data), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, {finding["subject"]: finding for finding in json.loads(done.stdout)}


def enrolled(data: Path, host: str, port: int, more: str = "") -> None:
    """What a redeemed enrolment leaves."""
    data.mkdir(exist_ok=True)
    text = f'site = "agra"\nprobe = "p1"\n[broker]\nhost = "{host}"\nport = {port}\n{more}'
    (data / "probe.toml").write_text(text, encoding="utf-8")


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port of this machine that takes connections, with TLS or silently."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()
        server.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                try:
                    plain, _ = server.accept()
                except TimeoutError:
                    continue
                with plain:
                    if context is not None:
                        try:
                            context.wrap_socket(plain, server_side=True).close()
                        except OSError:
                            continue

        thread = threading.Thread(target=serve, name="hub")
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join(60)


def test_an_office_that_never_enrolled(tmp_path: Path) -> None:
    """It is told to, with the command."""
    done = CliRunner().invoke(
        main, ["doctor", "--lang", "en", "--config", str(tmp_path / "probe.toml"), "--data", str(tmp_path)]
    )
    assert done.exit_code == 1
    assert "this office is not enrolled" in done.stdout
    assert "→ run: tatpar probe --enrolment FILE" in done.stdout


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    """Nothing is said of the way there: the name comes first."""
    enrolled(tmp_path, "hub.invalid", 8883, "insecure = true\n")
    status, found = doctor(tmp_path)
    assert status == 1
    assert found["name of the hub"]["level"] == "broken"
    assert "DNS" in found["name of the hub"]["remedy"]
    assert "way to the hub" not in found


def test_a_port_that_is_shut(tmp_path: Path) -> None:
    """The port is named."""
    port = free_port()
    enrolled(tmp_path, "127.0.0.1", port)
    status, found = doctor(tmp_path)
    assert status == 1
    assert found["name of the hub"]["level"] == "fine"
    assert f"TCP port {port}" in found["way to the hub"]["text"]


def test_a_firewall_that_swallows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is told from a refusal, for the remedy is another."""

    def never(*_: Any, **__: Any) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr("tatpar.examination.office.socket.create_connection", never)
    enrolled(tmp_path, "127.0.0.1", 8883)
    _, found = doctor(tmp_path)
    assert "let TCP port 8883 out" in found["way to the hub"]["remedy"]


def test_our_hub_and_another(tmp_path: Path) -> None:
    """The hub's own certificate is taken; another's is not, and the clock is named as the harmless reason."""
    for name, expected in (("ours", "fine"), ("other", "broken")):
        folder = tmp_path / name
        folder.mkdir()
        served = Authority(folder / "identity", NOW_NS)
        served.renew("broker", ["127.0.0.1"], NOW_NS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(served.file("broker"))
        known = served if name == "ours" else Authority(folder / "else", NOW_NS)
        (folder / "hub-ca.pem").write_text(known.certificate_pem, encoding="utf-8")
        with listening(context) as port:
            enrolled(folder, "127.0.0.1", port, 'ca = "hub-ca.pem"\n')
            _, found = doctor(folder)
        way = found["way to the hub"]
        assert way["level"] == expected, way
        assert "TLS" in way["text"] if name == "ours" else "clock" in way["remedy"]


def test_what_waits_which_version_and_who_answers(tmp_path: Path) -> None:
    """Read beside a probe that runs: its reports, the version that ran last, the reflectors of its plan."""
    with listening() as port, Reflector([("127.0.0.1", 0)]) as running:
        enrolled(tmp_path, "127.0.0.1", port)
        thread = threading.Thread(target=running.serve, name="reflector")
        thread.start()
        there = "{}:{}".format(*running.addresses[0])
        spool = Spool(tmp_path / "spool" / "agra.db", site="agra", probe="p1")
        try:
            _, found = doctor(tmp_path)
            assert found["reports"]["level"] == "fine"
            assert found["plan"]["level"] == "less"
            spool.begin_run("boot", "0.0.9")
            ends = (PlannedEnd(end="state", reflectors=(there, "127.0.0.1:9")),)
            asked = (PlannedReach(target="room", ask="sip:127.0.0.1:9"),)
            plan = Plan(valid_until_ns=NOW_NS + 1, ends=ends, reach=asked)
            spool.put_plan(msgspec.json.encode(plan))
            for _ in range(41):
                spool.append(NOW_NS, Made("boot", 1, NOW_NS), lambda _: b"{}")
            status, found = doctor(tmp_path)
        finally:
            spool.close()
            running.stop()
            thread.join(60)
    assert status == 1, "one of two reflectors is silent"
    assert "41 wait" in found["reports"]["text"]
    assert found["version"]["text"].endswith("0.0.9 ran last")
    assert found["version"]["remedy"] == "systemctl restart tatpar-probe"
    assert "main.state" in " ".join(found)
    assert "way to the hub" in found
    assert "127.0.0.1:9 does not answer" in found["room device"]["text"]
    assert "switch the device on" in found["room device"]["remedy"]
