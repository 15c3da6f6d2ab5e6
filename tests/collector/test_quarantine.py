"""What of a batch of refused messages is kept."""

from __future__ import annotations

from collector.message import Message
from collector.outcome import RefusalCode, Refused
from collector.quarantine import newest, rows


def refused(number: int, size: int = 10) -> Refused:
    message = Message(topic=f"t/{number}", payload=b"x" * size, received_ns=number)
    return Refused(RefusalCode.MALFORMED, "no JSON", message)


def test_a_flood_is_cut_to_what_can_be_kept() -> None:
    """The newest, within number and bytes, in the order of their coming."""
    batch = [refused(i) for i in range(100)]
    assert [one.message.received_ns for one in newest(batch, 3, 1000)] == [97, 98, 99]
    assert [one.message.received_ns for one in newest(batch, 50, 25)] == [98, 99]
    assert newest([refused(1, 5000)], 10, 1000) == []
    assert newest(batch, 0, 1000) == []


def test_a_row_says_when_where_why_and_what() -> None:
    """Reason and detail in one line."""
    [row] = rows([refused(7)])
    assert (row.received_ns, row.topic, row.reason, row.payload) == (
        7,
        "t/7",
        "malformed: no JSON",
        b"x" * 10,
    )
