"""Refusals are told when a kind of them begins and when it is over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from collector.message import Message
from collector.outcome import RefusalCode, Refused
from collector.refusals import OVER_NS, Refusals

if TYPE_CHECKING:
    import pytest


def refused(code: RefusalCode, topic: str = "tatpar/1/agra/p1/report") -> Refused:
    message = Message(topic=topic, payload=b"x", received_ns=0)
    return Refused(code, "not JSON\x1b[2J", message)


def test_a_kind_is_told_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand malformed messages are two lines, however they come; another kind has its own; control characters do not get through."""
    caplog.set_level(logging.INFO)
    watch = Refusals()
    for second in range(100):
        watch.note([refused(RefusalCode.MALFORMED, f"tatpar/1/s{second}/p1/report")] * 10, second * 10**9)
    watch.note([refused(RefusalCode.FOREIGN)], 100 * 10**9)
    watch.note([], 99 * 10**9 + OVER_NS)
    watch.note([refused(RefusalCode.MALFORMED)], 300 * 10**9)
    first, foreign, over, again, over_too = [record.getMessage() for record in caplog.records]
    assert first.startswith("refusing messages: malformed (first on tatpar/1/s0/p1/report: not JSON")
    assert "\x1b" not in first
    assert "foreign" in foreign
    assert over == "no more messages are refused: malformed (1000 were)"
    assert over_too == "no more messages are refused: foreign (1 were)"
    assert "refusing messages: malformed" in again
