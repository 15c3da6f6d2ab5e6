"""The bounded queue between socket and commits."""

from __future__ import annotations

import asyncio

from collector.inbox import Inbox
from collector.message import Message


def message(size: int = 10) -> Message:
    return Message(topic="", payload=b"x" * size, received_ns=0)


async def test_it_is_full_by_number_or_by_bytes() -> None:
    """Whichever bound is reached first counts."""
    inbox = Inbox(3, 100)
    for _ in range(2):
        inbox.put(message())
    assert not inbox.full
    inbox.put(message())
    assert inbox.full
    heavy = Inbox(1000, 100)
    heavy.put(message(100))
    assert heavy.full


async def test_what_is_being_committed_still_counts() -> None:
    """The bound is one on memory, so taking frees nothing; settling does."""
    inbox = Inbox(4, 1000)
    for _ in range(4):
        inbox.put(message())
    taken = await inbox.take(10, 0.0)
    assert inbox.full
    inbox.settle(taken[:1])
    assert not inbox.full
    assert not inbox.has_room
    inbox.settle(taken[1:])
    assert inbox.has_room
    assert (inbox.messages, inbox.bytes, inbox.high_messages) == (0, 0, 4)


async def test_a_batch_is_taken_at_once_when_it_is_whole() -> None:
    """No lingering once the limit is reached; the order is that of arrival."""
    inbox = Inbox(100, 10_000)
    for size in (1, 2, 3):
        inbox.put(message(size))
    async with asyncio.timeout(60):
        taken = await inbox.take(2, 3600.0)
    assert [len(one.payload) for one in taken] == [1, 2]


async def test_a_part_of_a_batch_waits_no_longer_than_it_may() -> None:
    """Late in the lingering another message still joins."""
    inbox = Inbox(100, 10_000)
    inbox.put(message())
    asyncio.get_running_loop().call_later(0.01, inbox.put, message())
    assert len(await inbox.take(10, 0.05)) == 2


async def test_a_full_inbox_does_not_linger() -> None:
    """Nothing more can come while it is full, so there is nothing to wait for."""
    inbox = Inbox(2, 10_000)
    inbox.put(message())
    inbox.put(message())
    async with asyncio.timeout(60):
        assert len(await inbox.take(10, 3600.0)) == 2
