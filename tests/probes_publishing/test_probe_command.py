"""`tatpar probe` as the office runs it: real packets, real pings, a real broker."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import pytest

from probes.reflecting.reflector import Reflector
from telemetry.control import Presence
from telemetry.messages import Ping, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.server, pytest.mark.e2e]


@pytest.fixture
def reflector_port() -> Iterator[int]:
    """A reflector on loopback."""
    reflector = Reflector([("127.0.0.1", 0)])
    thread = threading.Thread(target=reflector.serve, name="reflector")
    thread.start()
    yield reflector.addresses[0][1]
    reflector.stop()
    thread.join()
    reflector.close()


@pytest.fixture
def settings_file(mosquitto: Any, reflector_port: int, tmp_path: Path) -> Path:
    file = tmp_path / "probe.toml"
    file.write_text(
        f'site = "agra"\n[broker]\nhost = "127.0.0.1"\nport = {mosquitto.port}\n'
        f'[ends]\nstate = "127.0.0.1:{reflector_port}"\n[ping]\ntargets = ["ends"]\n',
        encoding="utf-8",
    )
    return file


async def start(settings: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tatpar", "probe", "--config", str(settings)),
        *("--data", str(settings.parent / "data"), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.needs("ping")
async def test_once_ends_when_the_hub_has_a_report(make_hub: Any, settings_file: Path) -> None:
    """`--once` ends with 0 as soon as the hub has stored a report with real packets and echoes that came back, and says how many."""
    hub = make_hub()
    process = await start(settings_file, "--once")
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode()
    told = re.fullmatch(
        r"agra/p1: the hub has stored a report: main\.state (\d+) of (\d+) packets back, ping state (\d+) of (\d+)\n",
        out.decode(),
    )
    assert told is not None, out.decode()
    items = [envelope.items for envelope in hub.envelopes]
    assert tuple(map(int, told.groups())) in [
        (stream.received, stream.sent, ping.received, ping.sent)
        for one in items
        for stream in one
        if isinstance(stream, Stream) and stream.path == "main.state" and stream.received > 0 == stream.lost
        for ping in one
        if isinstance(ping, Ping) and ping.target == "state" and ping.received > 0
    ]


async def test_polite_stop_is_clean(make_hub: Any, settings_file: Path, eventually: Any) -> None:
    """SIGTERM ends the probe with 0 within seconds, offline said; started again it calls that the operator's doing."""
    hub = make_hub()
    for number in (signal.SIGTERM, signal.SIGINT):
        seen = len(hub.presence["agra"])
        process = await start(settings_file)
        await eventually(lambda n=seen: len(hub.presence["agra"]) > n, within_s=120)
        process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert (process.returncode, out) == (0, b""), err.decode()
        assert b"Traceback" not in err
    await eventually(lambda: len(hub.presence["agra"]) == 4)
    said = [msgspec.json.decode(payload, type=Presence) for payload, _ in hub.presence["agra"]]
    assert [one.online for one in said] == [True, False, True, False]
    assert [one.restart_reason for one in said[::2]] == ["unknown", "operator"]


async def test_probe_without_a_hub_keeps_what_it_measures(
    mosquitto: Any, make_hub: Any, settings_file: Path, tmp_path: Path, eventually: Any
) -> None:
    """With no broker at all the probe runs on, ends cleanly, and its reports arrive once there is one."""
    mosquitto.kill()
    process = await start(settings_file)
    await eventually((tmp_path / "data" / "spool" / "agra.db").exists, within_s=120)
    await asyncio.sleep(5)  # so that the last, partial window holds packets that are 3 s old and more
    process.send_signal(signal.SIGTERM)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
    assert (tmp_path / "data" / "spool" / "agra.db").exists()
    mosquitto.start()
    hub = make_hub()
    process = await start(settings_file)
    await eventually(lambda: 1 in hub.seqs(), within_s=120)
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 60)


async def test_the_office_holds_little(make_hub: Any, settings_file: Path, eventually: Any) -> None:
    """The running agent is neither the command line nor a reader of numpy; with its measuring process it holds less than 60 MB."""
    hub = make_hub()
    process = await start(settings_file)
    try:
        await eventually(lambda: hub.presence["agra"], within_s=120)
        root = psutil.Process(process.pid)
        assert "tatpar.office_process" in root.cmdline()
        await eventually(
            lambda: len(root.children(recursive=True)) == 1
        )  # whatever it asked others has ended
        both = [root, *root.children(recursive=True)]
        assert len(both) == 2
        for one in both:
            files = [mapped.path for mapped in one.memory_maps()]
            assert any("python3" in file for file in files)
            assert not any("numpy" in file for file in files)
        assert sum(one.memory_info().rss for one in both) < 60_000_000
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
