"""New keys that come while the line is lost, or before the broker knows them: they are taken up by themselves, and answered for."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from probes.enrolment.credentials import load_credentials, save_credentials
from probes.enrolment.redeem import redeem_next
from probes.publishing import orders, publisher
from probes.publishing.agent import Agent
from probes.publishing.connection import ConnectionLost
from probes.publishing.orders import Orders
from probes.publishing.probe_file import load_probe_file
from telemetry.clock import SystemClock
from tests.strangers.rotating import rotate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server


@pytest.fixture
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there are newer keys is looked at several times a second."""
    monkeypatch.setattr(publisher, "NEWEST_AGAIN_S", 0.2)


async def test_an_answer_that_the_hub_was_not_handed_is_given_with_the_next_connection(
    hub: Any, running_probe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is lost after the new keys have opened the door, before the hub is told so: it is told at the next."""
    answer, lost = Orders._answer, []

    def lose_the_first(self: Orders, connection: Any, *what: Any) -> Any:
        if lost:
            return answer(self, connection, *what)
        lost.append(connection)
        connection.abort("a cable is pulled")
        never = asyncio.get_running_loop().create_future()
        never.set_exception(ConnectionLost("a cable is pulled"))
        return never

    async with running_probe(hub) as agent:
        monkeypatch.setattr(Orders, "_answer", lose_the_first)
        row = await rotate(hub)
        assert lost
        assert (row.ok, row.detail) == (True, "generation 2 in use")
        assert agent.offices["agra/p1"].counters.connections == 3


@pytest.mark.usefixtures("looking_often")
async def test_new_keys_that_come_while_the_line_is_lost_are_taken_up(
    hub: Any, running_probe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """The line is lost while the desk is asked, and the probe is back by the old keys before the new ones are on its disk."""
    file, loop = tmp_path / "office" / "credentials.json", asyncio.get_running_loop()
    back = threading.Event()

    def ask_slowly(kept: Any, token: str, path: Path) -> Any:
        """Somebody else comes by the probe's own name, so the broker cuts the probe; it is back before the desk answers."""
        login = kept.current
        taking_over = hub.connect(login.user, login.password, client_id=login.user)
        asyncio.run_coroutine_threadsafe(taking_over, loop).result(60)
        assert back.wait(60)
        return redeem_next(kept, token, path)

    async def see_it_come_back(counters: Any) -> None:
        await eventually(lambda: counters.connections == 2)
        back.set()

    async with running_probe(hub) as agent:
        assert load_credentials(file).current.generation == 1
        monkeypatch.setattr(orders, "redeem_next", ask_slowly)
        seen = asyncio.create_task(see_it_come_back(agent.offices["agra/p1"].counters))
        row = await rotate(hub)
        await seen
        assert (row.ok, row.detail) == (True, "generation 2 in use")
        assert load_credentials(file).current.generation == 2


@pytest.mark.usefixtures("looking_often")
async def test_a_probe_that_came_in_by_the_old_keys_goes_over_to_the_new_by_itself(
    hub: Any, running_probe: Any, quiet_measurer: Any, tmp_path: Path, eventually: Eventually
) -> None:
    """The broker turns the new keys away at first: the probe stays in by the old, tries again, and proves the new."""
    async with running_probe(hub):
        pass
    folder = tmp_path / "office"
    file = folder / "credentials.json"
    _, token = await hub.invite()
    following = await asyncio.to_thread(redeem_next, load_credentials(file), token, file)
    unknown = replace(following.current, password="not yet")
    save_credentials(file, replace(following, current=unknown))
    office = changed(load_probe_file(folder / "probe.toml", folder), ping_targets=(), interface="")
    stop = asyncio.Event()
    agent = Agent([office], quiet_measurer, clock=SystemClock())
    running = asyncio.create_task(agent.run(stop))
    counters = agent.offices["agra/p1"].counters
    await eventually(lambda: counters.connections >= 1)
    assert counters.turned_away >= 1
    assert load_credentials(file).previous is not None
    save_credentials(file, following)
    await eventually(lambda: load_credentials(file).previous is None)
    assert load_credentials(file).current == following.current
    stop.set()
    await running
