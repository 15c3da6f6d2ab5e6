"""What an office machine has to outlive, each with the real thing: a line in the log, a count, nothing lost, and on it goes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench._faults.campaign import libfaketime
from collector.broker.ports import free_port
from collector.enrolment.authority import Authority
from telemetry.messages import Clock, ClockState, SelfReport
from tests.probes_publishing.outliving import QUICK, SITE, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.server, pytest.mark.e2e]
DAY_S = 86_400
UNFAKED_CHILD = "import os; del os.environ['LD_PRELOAD']; from tatpar.__main__ import main; main()"
"""`tatpar`, whose measuring process has the true time: libfaketime breaks its `clock_nanosleep`. (For that see `test_clock_steps`.)"""


class OwnBroker:
    """A real mosquitto with lines of one's own; it reads passwords, rules and certificates again when told."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.port, self._program = folder, free_port(), program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, lines: str) -> None:
        user = "user root\n" if os.geteuid() == 0 else ""
        conf = self.folder / "own.conf"
        conf.write_text(f"{user}log_dest none\nlistener {self.port} 127.0.0.1\n{lines}\n", encoding="utf-8")
        self._process = subprocess.Popen([self._program, "-c", str(conf)])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("mosquitto does not listen", pytrace=False)

    def read_again(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def own_broker(tmp_path: Path, program: Callable[[str], str]) -> Iterator[OwnBroker]:
    broker = OwnBroker(tmp_path, program("mosquitto"))
    yield broker
    broker.stop()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


# -- the way to the broker


async def test_a_name_that_is_not_found_is_outlived(  # noqa: PLR0917 - fixtures
    mosquitto: Any, make_office: Any, fake_measurer: Any, eventually: Any, told: Any, monkeypatch: Any
) -> None:
    """No DNS: said with where to look, counted; the first answer is enough."""
    office = make_office(SITE, broker_host="broker.invalid", patience=QUICK)
    async with running(office, fake_measurer) as agra:
        await eventually(lambda: agra.counters.unresolved > 1)
        assert agra.counters.unreached >= agra.counters.unresolved
        assert {reason.partition(":")[0] for reason in told("broker.failed")} == {
            "its name cannot be looked up"
        }
        real = socket.getaddrinfo
        monkeypatch.setattr(  # DNS is back
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: real(
                "127.0.0.1" if host == "broker.invalid" else host, *rest, **more
            ),
        )
        await eventually(lambda: agra.counters.connections == 1)
    assert len(told("broker.recovered")) == 1
    assert mosquitto.port == office.broker_port


async def test_a_broker_that_is_away_is_outlived(
    mosquitto: Any, make_office: Any, fake_measurer: Any, eventually: Any, told: Any
) -> None:
    """Connection refused: said once however often it is tried, counted each time."""
    mosquitto.kill()
    async with running(make_office(SITE, patience=QUICK), fake_measurer) as agra:
        await eventually(lambda: agra.counters.unreached > 3)
        assert told("broker.failed") == ["Connection refused"]
        mosquitto.start()
        await eventually(lambda: agra.counters.connections == 1)
    assert len(told("broker.recovered")) == 1


async def test_a_refused_password_is_outlived(  # noqa: PLR0917 - fixtures
    own_broker: OwnBroker, program: Any, make_office: Any, fake_measurer: Any, eventually: Any,
    tmp_path: Path, told: Any,
) -> None:  # fmt: skip
    """The broker does not know us: said, counted; when its operator has let us in, we are."""
    passwords = tmp_path / "passwords"
    chosen = (program("mosquitto_passwd"), "-b", str(passwords), "agra")
    run(chosen[0], "-b", "-c", str(passwords), "agra", "another")
    passwords.chmod(0o600)
    own_broker.start(f"password_file {passwords}")
    office = make_office(SITE, broker_port=own_broker.port, user="agra", password="right", patience=QUICK)
    async with running(office, fake_measurer) as agra:
        await eventually(lambda: agra.counters.turned_away > 1)
        assert told("broker.failed") == ["the broker refuses us: Not authorized"]
        run(*chosen, "right")
        own_broker.read_again()
        await eventually(lambda: agra.counters.connections == 1)
    assert len(told("broker.recovered")) == 1


async def test_rules_that_refuse_our_reports_are_outlived(  # noqa: PLR0917 - fixtures
    own_broker: OwnBroker, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any,
    tmp_path: Path, told: Any,
) -> None:  # fmt: skip
    """Let in, but not allowed to report: the reports are kept, said and counted, and go when the rules are mended."""
    rules = tmp_path / "acl"
    rules.write_text(f"topic read #\ntopic write tatpar/1/{SITE}/p1/presence\n", encoding="utf-8")
    rules.chmod(0o600)
    own_broker.start(f"allow_anonymous true\nacl_file {rules}")
    office = make_office(SITE, broker_port=own_broker.port, patience=QUICK)
    async with running(office, fake_measurer) as agra:
        fake_measurer.queue.put_nowait(make_window(office.key, 0))
        await eventually(lambda: agra.counters.refused > 1)
        assert told("reports.failed") == ["the broker refuses our reports (reason 0x87)"]
        rules.write_text("topic readwrite #\n", encoding="utf-8")
        own_broker.read_again()
        await eventually(lambda: len(told("reports.failed")) == 2)
    assert told("reports.failed")[1] == "the broker has nobody who takes our reports; keeping them"


@pytest.mark.parametrize("wrong", ["expired", "not yet valid", "of another authority"])
async def test_a_certificate_that_is_not_accepted_is_outlived(  # noqa: PLR0917 - fixtures
    wrong: str, own_broker: OwnBroker, make_office: Any, fake_measurer: Any, eventually: Any,
    tmp_path: Path, told: Any,
) -> None:  # fmt: skip
    """Out of date by our clock, or the `ca` that we were given is another's: said with where to look, and tried again."""
    authority = Authority(tmp_path / "authority", time.time_ns())
    other = Authority(tmp_path / "other", time.time_ns())
    served, trusted = tmp_path / "broker.pem", tmp_path / "ca.pem"
    good = authority.issue(["localhost"], time.time_ns(), 30.0)
    served.write_bytes(authority.issue(["localhost"], time.time_ns(), -1.0) if wrong == "expired" else good)
    trusted.write_text(
        (other if wrong == "of another authority" else authority).certificate_pem, encoding="ascii"
    )
    if wrong == "not yet valid":
        _begin_tomorrow(tmp_path, served, trusted)
    own_broker.start(f"allow_anonymous true\ncertfile {served}\nkeyfile {served}")
    office = make_office(
        SITE, broker_host="localhost", broker_port=own_broker.port, tls_ca=trusted, patience=QUICK
    )
    async with running(office, fake_measurer) as agra:
        await eventually(lambda: agra.counters.untrusted > 1)
        assert len(told("broker.failed")) == 1
        expected = {
            "of another authority": "self-signed certificate in certificate chain",
            "expired": "certificate has expired",
        }
        said = expected.get(wrong, "certificate is not yet valid")
        assert told("broker.failed")[0].startswith(f"certificate verify failed: {said}")
        assert ("this machine's clock says 20" in told("broker.failed")[0]) == (
            wrong != "of another authority"
        )
        trusted.write_text(authority.certificate_pem, encoding="ascii")
        served.write_bytes(good)
        own_broker.read_again()
        await eventually(lambda: agra.counters.connections == 1)
    assert len(told("broker.recovered")) == 1
    assert agra.counters.unreached >= agra.counters.untrusted


def _begin_tomorrow(folder: Path, served: Path, trusted: Path) -> None:
    """A certificate of its own authority that begins a day from now, as for a machine whose clock is behind."""
    key, conf = folder / "later.key", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    faked = [
        "faketime",
        "-f",
        f"+{DAY_S}s",
        "openssl",
        "req",
        "-x509",
        *conf,
        "-days",
        "9",
        "-keyout",
        str(key),
    ]
    subprocess.run(
        [*faked, "-out", str(served), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    trusted.write_bytes(served.read_bytes())
    served.write_bytes(served.read_bytes() + key.read_bytes())


# -- the clock


async def test_a_clock_that_nobody_keeps_is_said(  # noqa: PLR0917 - fixtures
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any, told: Any
) -> None:
    """Once when nobody keeps it, once when it is kept again; its steps are counted; reports go on all the same."""
    make_hub()
    office = make_office(SITE, patience=QUICK)
    states = (
        ClockState.SYNCHRONISED,
        ClockState.UNSYNCHRONISED,
        ClockState.UNSYNCHRONISED,
        ClockState.SYNCHRONISED,
    )
    async with running(office, fake_measurer) as agra:
        for index, state in enumerate(states):
            made = make_window(office.key, index)
            fake_measurer.queue.put_nowait(
                replace(made, clock=Clock(state=state), self_report=SelfReport(clock_steps=index))
            )
        await eventually(lambda: agra.counters.stored == 4)
    assert (len(told("clock.failed")), len(told("clock.recovered"))) == (1, 1)
    assert agra.counters.clock_steps == 6


async def test_a_clock_ten_years_behind_is_outlived(
    own_broker: OwnBroker, tmp_path: Path, eventually: Any
) -> None:
    """The whole probe with a dead battery: the broker's certificate seems not yet valid, which is said; set right, it connects."""
    authority = Authority(tmp_path / "authority", time.time_ns())
    served, trusted = tmp_path / "broker.pem", tmp_path / "ca.pem"
    served.write_bytes(authority.issue(["localhost"], time.time_ns(), 30.0))
    trusted.write_text(authority.certificate_pem, encoding="ascii")
    own_broker.start(f"allow_anonymous true\ncertfile {served}\nkeyfile {served}")
    (tmp_path / "probe.toml").write_text(
        f'site = "agra"\n[broker]\nhost = "localhost"\nport = {own_broker.port}\nca = "{trusted}"\n'
        '[ends]\nstate = "127.0.0.1:9"\n[ping]\ntargets = []\n[link]\ninterface = ""\n',
        encoding="utf-8",
    )
    clock, log = tmp_path / "clock", tmp_path / "log"
    clock.write_text(f"-{10 * 365}d\n", encoding="ascii")
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", UNFAKED_CHILD, "probe", "--config", str(tmp_path / "probe.toml")),
            *("--data", str(tmp_path / "data")),
            stderr=file,
            cwd=Path(__file__).parents[2],
            env=os.environ
            | {"LD_PRELOAD": str(libfaketime()), "FAKETIME_TIMESTAMP_FILE": str(clock)}
            | dict.fromkeys(
                ("FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC"), "1"
            ),
        )
        try:
            await eventually(
                lambda: "this machine's clock says 201" in log.read_text(encoding="utf-8"), within_s=120
            )
            (tmp_path / "right").write_text("+0\n", encoding="ascii")
            (tmp_path / "right").replace(clock)  # at no moment is it empty
            await eventually(lambda: ": reached" in log.read_text(encoding="utf-8"), within_s=120)
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 60)
    assert process.returncode == 0
    assert "Traceback" not in log.read_text(encoding="utf-8")
