"""What came from the hub and waits."""

from __future__ import annotations

import asyncio

from probes.counters import Counters
from probes.publishing.connection import Incoming
from probes.publishing.inbox import MAX_COMMANDS, Inbox
from telemetry.topics import Leaf


def message(leaf: str, payload: bytes = b"") -> Incoming:
    return Incoming(
        f"tatpar/1/agra/p1/{leaf}", payload, retained=False, response_topic=None, correlation=None
    )


async def test_latest_stored_and_plan_count_and_go_first() -> None:
    """Of several `stored` and plans only the latest is dealt with, before any command."""
    inbox = Inbox("tatpar/1", Counters())
    inbox.put(message("command", b"1"))
    for number in (b"1", b"2", b"3"):
        inbox.put(message("plan", number))
        inbox.put(message("stored", number))
    taken = [await inbox.take() for _ in range(3)]
    assert [(leaf, incoming.payload) for leaf, incoming in taken] == [
        (Leaf.STORED, b"3"),
        (Leaf.PLAN, b"3"),
        (Leaf.COMMAND, b"1"),
    ]


async def test_commands_are_bounded() -> None:
    """A flood of commands is cut, counted, and the first ones are answered in order."""
    counters = Counters()
    inbox = Inbox("tatpar/1", counters)
    for number in range(100):
        inbox.put(message("command", b"%d" % number))
    assert counters.inbox_dropped == 100 - MAX_COMMANDS
    assert [(await inbox.take())[1].payload for _ in range(MAX_COMMANDS)] == [
        b"%d" % n for n in range(MAX_COMMANDS)
    ]


async def test_foreign_topics_are_counted() -> None:
    """A message on a topic that is none of ours is counted and goes no further."""
    counters = Counters()
    inbox = Inbox("tatpar/1", counters)
    inbox.put(Incoming("elsewhere/agra", b"", retained=False, response_topic=None, correlation=None))
    assert counters.bad_messages == 1
    waiting = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put(message("stored"))
    assert (await waiting)[0] is Leaf.STORED
