"""The running fleet without its offices: lines, time, control, and what happens when a process dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from config.reach import parse_check
from lab.errors import LabError, NoFleetError
from lab.line.truth_reader import read_truth
from lab.running.control import SOCKET_NAME, Broken, Healed, LabStatus, Room, Status, Switched, ask
from lab.running.control import Break as BreakRequest
from lab.running.control import Heal as HealRequest
from lab.running.effect import Effect
from lab.running.fleet import Fleet
from lab.running.rooms import options_answer
from lab.running.script import QUIET
from probes.reaching import asking
from probes.reaching.asking import ask as ask_device
from telemetry.messages import ReachOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from conftest import EchoReflector, Helpers

    from config.config import Config


THREE = ("meerut", "jaunpur", "lucknow")


@pytest.fixture
async def fleet(config: Config, reflector: EchoReflector, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Three offices' lines, quiet, with a truth log and without agents."""
    ends = dict.fromkeys(("state", "national"), reflector.address)
    async with Fleet(
        config, tmp_path, ("127.0.0.1", 9), ends, sites=THREE, script=QUIET, truth=True, agents=False
    ) as one:
        yield one


async def measure(
    helpers: type[Helpers], fleet: Fleet, site: Any, end: str = "state", *, count: int = 50, least: int = 0
) -> int:
    """How many of so many packets come back; `least` of them are waited for."""

    def run() -> int:
        probe = helpers.Probe(fleet.relay_port(site, end))
        probe.stream(count, 0.002, quiet_s=0.3, least=least)
        probe.close()
        return len({seq for seq, _, _ in probe.came})

    return await asyncio.to_thread(run)


async def test_every_line_has_its_port(fleet: Fleet) -> None:
    """Each office has a UDP port an end and one way to the broker, all different."""
    ports = [fleet.relay_port(site, end) for site in THREE for end in ("state", "national")]
    ports += [fleet.broker_port(site) for site in THREE]
    assert len(set(ports)) == 9


async def test_impairing_one_office_leaves_the_others(fleet: Fleet, helpers: type[Helpers]) -> None:
    """Loss on one office's line is that office's alone, in that direction alone, and healing ends it."""
    await fleet.impair("meerut", Effect(direction="up", loss_ratio=1.0))
    came = [
        await measure(helpers, fleet, site, least=least)
        for site, least in zip(THREE, (0, 50, 50), strict=True)
    ]
    assert came == [0, 50, 50]
    await fleet.heal("meerut")
    assert await measure(helpers, fleet, "meerut", least=50) == 50
    await fleet.flush_truth()
    truth = read_truth(fleet.truth_dir).line("meerut", "state")
    first, second = (truth.of_seq(0, 49, session) for session in truth.sessions())
    assert (first.up.lost, first.down.sent, second.lost) == (50, 0, 0)


async def test_an_outage_hits_all_ends_and_the_broker(fleet: Fleet, helpers: type[Helpers]) -> None:
    """The outage of an office stops both of its UDP lines and its TCP; another office keeps all of them."""
    greeted = []

    def greet(_reader, writer) -> None:
        writer.write(b"hello\n")
        greeted.append(writer)

    served = await asyncio.start_server(greet, "127.0.0.1", 0)
    await fleet.redirect(served.sockets[0].getsockname())
    await fleet.impair("meerut", Effect(outage=True))
    assert await measure(helpers, fleet, "meerut", "state") == 0
    assert await measure(helpers, fleet, "meerut", "national") == 0
    reader, writer = await asyncio.open_connection("127.0.0.1", fleet.broker_port("meerut"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.readline()
    other, other_writer = await asyncio.open_connection("127.0.0.1", fleet.broker_port("jaunpur"))
    assert await other.readline() == b"hello\n"
    await fleet.heal("meerut")
    assert await reader.readline() == b"hello\n"
    for one in (writer, other_writer, *greeted):
        one.close()
    served.close()


async def test_a_fault_ends_by_itself(fleet: Fleet, helpers: type[Helpers]) -> None:
    """A fault with an end is healed when its time is over, to within the second."""
    for for_s in (0.6, 2.4, 9.6):
        began_s = time.monotonic()
        await fleet.impair("meerut", Effect(outage=True), for_s=for_s)
        came = await measure(helpers, fleet, "meerut", count=10)
        if time.monotonic() - began_s < for_s:  # else the machine was too slow to look before the end
            break
    assert came == 0
    await asyncio.sleep(for_s + 0.1)
    async with asyncio.timeout(60):  # the process that holds the lines is told when it comes to it
        while not await measure(helpers, fleet, "meerut", count=1):
            pass
    assert await measure(helpers, fleet, "meerut", count=10, least=10) == 10


async def test_control_breaks_and_heals(fleet: Fleet, helpers: type[Helpers], tmp_path: Path) -> None:
    """What is asked over the socket holds when the answer comes."""
    request = BreakRequest(scope="region:kashi", effect=Effect(direction="down", loss_ratio=1.0))
    broken = await asyncio.to_thread(ask, tmp_path, request, Broken)
    assert broken.offices == 1
    assert await measure(helpers, fleet, "jaunpur") == 0
    status = await asyncio.to_thread(ask, tmp_path, Status(), LabStatus)
    assert [fault.scope for fault in status.by_hand] == ["region:kashi"]
    assert status.packets > 0
    healed = await asyncio.to_thread(ask, tmp_path, HealRequest(scope="jaunpur"), Healed)
    assert (healed.healed, [fault.scope for fault in healed.left]) == ((), ["region:kashi"])
    await asyncio.to_thread(ask, tmp_path, HealRequest(), Healed)
    assert await measure(helpers, fleet, "jaunpur", least=50) == 50


async def test_wrong_offices_are_told(fleet: Fleet, config: Config, tmp_path: Path) -> None:
    """An office that is not in the lab is told with the nearest name."""
    with pytest.raises(LabError, match='write "meerut"'):
        await fleet.impair("merut", Effect(outage=True))
    with pytest.raises(LabError, match="there is no office `moon`"):
        Fleet(config, tmp_path, ("127.0.0.1", 9), {"state": ("127.0.0.1", 9)}, sites=("moon",), script=QUIET)
    with pytest.raises(LabError, match="nothing to break"):
        await asyncio.to_thread(ask, tmp_path, BreakRequest(scope="meerut", effect=Effect()), Broken)


async def test_a_dead_line_process_is_noticed(fleet: Fleet) -> None:
    """When the process that holds the lines is killed, the fleet says so and requests fail with one line."""
    run = asyncio.create_task(fleet.run())
    os.kill(fleet.lines_pid, signal.SIGKILL)
    with pytest.raises(LabError, match="lines process has ended; see"):
        await asyncio.wait_for(run, 60)
    with pytest.raises(LabError, match=r"lines process has ended|not running"):
        await fleet.impair("meerut", Effect(outage=True))


async def test_leaving_ends_everything(config: Config, reflector: EchoReflector, tmp_path: Path) -> None:
    """When the fleet is left its process, its socket and its ports are gone."""
    ends = {"state": reflector.address}
    async with Fleet(
        config, tmp_path, ("127.0.0.1", 9), ends, sites=THREE, script=QUIET, agents=False
    ) as fleet:
        pid = fleet.lines_pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (tmp_path / SOCKET_NAME).exists()
    with pytest.raises(NoFleetError):
        ask(tmp_path, Status(), LabStatus)


async def test_cancelling_the_owner_ends_everything(
    config: Config, reflector: EchoReflector, tmp_path: Path
) -> None:
    """A cancelled owner leaves no process behind."""
    started = asyncio.Event()
    pids = []

    async def owner() -> None:
        async with Fleet(
            config, tmp_path, ("127.0.0.1", 9), {"state": reflector.address}, script=QUIET, agents=False
        ) as fleet:
            pids.append(fleet.lines_pid)
            started.set()
            await fleet.run()

    task = asyncio.create_task(owner())
    await asyncio.wait_for(started.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_lines_end_with_an_owner_that_was_killed(tmp_path: Path) -> None:
    """When the owner is killed without a word, the line process ends by itself."""
    code = (
        "import asyncio, sys; from pathlib import Path; from config.load import load_config\n"
        "from lab.running.fleet import Fleet; from lab.running.script import QUIET\n"
        "async def main():\n"
        "    fleet = Fleet(load_config(None), Path(sys.argv[1]), ('127.0.0.1', 9), {'state': ('127.0.0.1', 9)},\n"
        "                  sites=('meerut',), script=QUIET, agents=False)\n"
        "    async with fleet:\n"
        "        print(fleet.lines_pid, flush=True)\n"
        "        await fleet.run()\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    pid = int(await asyncio.wait_for(owner.stdout.readline(), 60))
    owner.kill()
    await owner.communicate()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the line process outlived its owner")


async def test_a_rooms_device_is_switched_off_and_its_line_is_not(
    fleet: Fleet, helpers: type[Helpers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe's question is answered until the device is switched off over the control socket; the line stays perfect; healing switches it on."""
    monkeypatch.setattr(asking, "PATIENCE_S", 60.0)

    async def asked(site: str) -> ReachOutcome:
        check = parse_check(fleet.rooms.question(site))
        assert check is not None
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return (await ask_device(check, (socket.AF_INET, "127.0.0.1"), time.monotonic_ns, tls)).outcome

    assert [await asked(site) for site in THREE] == [ReachOutcome.ANSWERED] * 3
    folder = fleet.truth_dir.parent if fleet.truth_dir is not None else None
    assert folder is not None
    switched = await asyncio.to_thread(ask, folder, Room(scope="meerut", on=False), Switched)
    assert (switched.offices, switched.off) == (1, ("meerut",))
    with monkeypatch.context() as patched:
        patched.setattr(asking, "PATIENCE_S", 0.2)
        assert await asked("meerut") is ReachOutcome.TIMEOUT
    assert await asked("lucknow") is ReachOutcome.ANSWERED
    assert await measure(helpers, fleet, "meerut", least=50) == 50
    assert (await asyncio.to_thread(ask, folder, Status(), LabStatus)).rooms_off == ("meerut",)
    assert (await asyncio.to_thread(ask, folder, HealRequest(), Healed)).rooms == ("meerut",)
    assert await asked("meerut") is ReachOutcome.ANSWERED


def test_a_rooms_device_answers_options_alone() -> None:
    """Anything else it passes over."""
    assert options_answer(b"INVITE sip:a SIP/2.0\r\n\r\n") is None
    assert options_answer(b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n") is None
    assert options_answer(b"\xff\x00") is None
