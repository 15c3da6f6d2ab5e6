"""`tatpar collect` as people start it."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from collector.standing import Standing
from tatpar.commands.collect import command
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

    from telemetry.messages import Envelope

    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]


@pytest.mark.parametrize("address", ["hub", "hub:", ":1883", "hub:0", "hub:65536", "hub:mqtt"])
def test_a_wrong_address_is_explained(address: str, tmp_path: Path) -> None:
    """Status 2, and one line that says what to write."""
    result = CliRunner().invoke(command, ["--data", str(tmp_path), "--broker", address])
    assert result.exit_code == 2
    assert (
        result.output.strip() == f"--broker: '{address}' is no address; write HOST:PORT, as hub.example:1883"
    )


def test_a_wrong_file_is_explained(tmp_path: Path, config_file: Path) -> None:
    """Status 2, with file and line."""
    (config_file.parent / "sites.csv").write_text("id,name\nagra,Agra\n", encoding="utf-8")
    result = CliRunner().invoke(command, ["--config", str(config_file), "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "sites.csv" in result.output
    assert "Traceback" not in result.output


def test_a_broker_open_to_others_without_tls_is_explained(tmp_path: Path, config_file: Path) -> None:
    """Status 2, at load: nothing has been started."""
    text = config_file.read_text(encoding="utf-8") + '[broker]\nhost = "0.0.0.0"\n'
    config_file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(command, ["--config", str(config_file), "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "would be open to other machines without TLS" in result.output


def test_a_broker_that_cannot_be_brought_is_explained(tmp_path: Path, config_file: Path) -> None:
    """Status 1: the input was right, the machine is not."""
    more = '[broker]\nhost = "192.0.2.1"\nport = 1883\nuser = "hub"\ninsecure = true\n'
    config_file.write_text(config_file.read_text(encoding="utf-8") + more, encoding="utf-8")
    result = CliRunner().invoke(command, ["--config", str(config_file), "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "Traceback" not in result.output


@pytest.mark.server
async def test_it_collects_from_a_broker_until_it_is_told_to_end(
    killable_hub: Any, tmp_path: Path, config_file: Path, eventually: Eventually, make_envelope: Maker
) -> None:
    """SIGTERM ends it in order: status 0, everything stored, everything acknowledged, the place free for the next."""
    data = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tatpar", "collect", "--config", str(config_file), "--data", str(data)),
        *("--broker", str(killable_hub.broker)),
        stderr=subprocess.PIPE,
    )
    async with killable_hub.office() as agra:
        await eventually(lambda: agra.on("plan"), within_s=120)
        for seq in range(1, 51):
            await agra.report(make_envelope(seq))
        await eventually(lambda: agra.on("stored"))
        await eventually(lambda: len(SqliteReader(data / "reports.db").streams(Selection(0, 2**62))) == 50)
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert b"Traceback" not in errors

    assert Standing(data, shared=False).take()
    next_hub = dataclasses.replace(killable_hub, store=SqliteStore(data / "reports.db"))
    async with next_hub.collecting() as collector:  # the session of the one before holds nothing any more
        await eventually(lambda: collector.bridge.echo_ms is not None)
        assert collector.bridge.session_resumed == 1
        assert collector.counters.messages == 0
