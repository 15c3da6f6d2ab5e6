"""Stopping the alerts: nothing is told twice, and nothing is left undone."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from alerts.service import Alerts
from telemetry.alerting import Post

if TYPE_CHECKING:
    from pathlib import Path

    from config.live import LiveConfig
    from telemetry.state.db import StateDb


LETTER = Post(
    key="key",
    person="",
    channel="mail",
    recipient="agra@office.example",
    subject="subject",
    body="body",
    due_ns=0,
)


class SlowDelivery:
    """A mail server that takes its time."""

    def __init__(self, state: StateDb) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self._state = state

    def step(self, _settings: Any, now_ns: int) -> int:
        self.began.set()
        assert self.go_on.wait(60)
        self._state.mark_sent("key", now_ns)
        return 1


async def test_a_mail_under_way_is_marked(live: LiveConfig, state: StateDb) -> None:
    """Cancelled while a mail server takes a message, the service ends only when the message is marked as sent."""
    state.post([LETTER], 0)
    delivery: Any = SlowDelivery(state)
    running = asyncio.create_task(Alerts(live, state, delivery=delivery).run())
    assert await asyncio.to_thread(delivery.began.wait, 60)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=0.1)
    assert not done
    assert state.outbox(1)[0].sent_ns is None
    delivery.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert state.outbox(1)[0].sent_ns is not None


def test_changed_settings_are_taken_up(live: LiveConfig, state: StateDb, tmp_path: Path) -> None:
    """A service that runs alone sees changed files by itself."""
    alerts = Alerts(live, state)
    alerts.step(0)
    before = live.current
    file = tmp_path / "tatpar.toml"
    file.write_text(file.read_text(encoding="utf-8") + "down_after_min = 45\n", encoding="utf-8")
    alerts.step(0)
    assert live.current is not before
    assert live.current.settings.alerts.down_after_min == 45
