"""A crash at every step of sending, each one: nothing is lost, and only one of them can make a second copy, with the same key."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import pytest

from alerts.delivery.errors import DeliveryError
from alerts.delivery.outbox import Delivery
from telemetry.state.db import StateDb
from telemetry.windows import HOUR_NS
from tests.alerts.parts import NOW_NS, Receiver, a_post, made_live

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.config import Config
    from telemetry.state.outbox import OutboxRow

STEPS: Final = (
    *("before due", "after due", "before claim", "after claim", "before attachments", "after attachments"),
    *("before send", "after send", "before mark_sent", "after mark_sent"),
)
DOUBLED: Final = frozenset({"after send", "before mark_sent"})
"""Between the other side's taking it and our marking it."""


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class Breaking(StateDb):
    """A state database at one of whose calls the process dies."""

    at = ""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return dying(name, found, type(self).at) if name in {step.split()[1] for step in STEPS} else found


def dying(name: str, call: Callable[..., Any], at: str) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        if at == f"before {name}":
            raise Crash
        result = call(*arguments, **named)
        if at == f"after {name}":
            raise Crash
        return result

    return called


@pytest.mark.parametrize("at", STEPS)
def test_a_crash_at_each_step(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it dies, after a restart each message is with the other side: once, or twice with one key."""
    config, path, taken = made_live(tmp_path / "settings").current, tmp_path / "crash.db", []

    def send(row: OutboxRow, _files: object, _config: Config) -> str:
        taken.append(row.key)
        return "taken"

    monkeypatch.setattr(Breaking, "at", at)
    with contextlib.closing(Breaking(path)) as state:
        state.post([a_post("a"), a_post("b", urgent=True)], NOW_NS)
        way = dying("send", send, at)
        delivery = Delivery(state, lambda _name, _config: way, patience_s=60)
        with pytest.raises(Crash):  # noqa: PT012 - a crash in a thread is seen at the next step
            delivery.step(config, NOW_NS)
            delivery.step(config, NOW_NS)
        with contextlib.suppress(Crash):
            delivery.close()
    with contextlib.closing(StateDb(path)) as state:
        again = Delivery(state, lambda _name, _config: send, patience_s=60)
        for minutes in range(1, 4):
            again.step(config, NOW_NS + minutes * 60 * 10**9)
        assert all(row.sent_ns is not None for row in state.outbox(9))
    assert set(taken) == {"a", "b"}
    assert (len(taken) > 2) == (at in DOUBLED)


@pytest.mark.parametrize("method", ["mark_failed", "mark_dead"])
def test_a_crash_while_a_refusal_is_noted(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dying over a refusal costs one attempt that is not counted, and no message."""
    config, path = made_live(tmp_path / "settings").current, tmp_path / "crash.db"

    def refuse(_row: OutboxRow, _files: object, _config: Config) -> str:
        raise DeliveryError("no", final=method == "mark_dead")

    def die(*_: object, **__: object) -> None:
        raise Crash

    with contextlib.closing(StateDb(path)) as state, monkeypatch.context() as patched:
        patched.setattr(StateDb, method, die)
        state.post([a_post("a")], NOW_NS)
        with pytest.raises(Crash):
            Delivery(state, lambda _name, _config: refuse, patience_s=60).step(config, NOW_NS)
    with contextlib.closing(StateDb(path)) as state:
        Delivery(state, lambda _name, _config: lambda *_: "taken", patience_s=60).step(
            config, NOW_NS + HOUR_NS
        )
        assert state.outbox(1)[0].sent_ns is not None


CHILD: Final = """
import os, signal, sys, time
from pathlib import Path
from alerts.delivery.outbox import Delivery
from config.live import LiveConfig
from telemetry.state.db import StateDb

folder, where = Path(sys.argv[1]), sys.argv[2]


class Dying(StateDb):
    def mark_sent(self, key, at_ns):
        if where == "before mark":
            os.kill(os.getpid(), signal.SIGKILL)
        super().mark_sent(key, at_ns)
        if where == "after mark":
            os.kill(os.getpid(), signal.SIGKILL)


state = Dying(folder / "state.db")
Delivery(state, patience_s=60).step(LiveConfig(folder / "tatpar.toml").current, time.time_ns())
print("not killed")
"""


class Killing(Receiver):
    """Kills whoever calls, before it answers."""

    kills = False

    def __init__(self) -> None:
        super().__init__()
        self.victim: Future[subprocess.Popen[bytes]] = Future()

    def answer(self, handler: Any) -> None:
        if self.kills:
            self.victim.result(60).send_signal(signal.SIGKILL)
        super().answer(handler)


@pytest.mark.parametrize("where", ["while the other side takes it", "before mark", "after mark"])
def test_a_process_that_is_killed(where: str, tmp_path: Path) -> None:
    """A real kill -9 over a real webhook: what was not marked comes again with the same key, what was marked does not."""
    with Killing() as receiver:
        channels = f'hook = "http://127.0.0.1:{receiver.port}/alerts"\n'
        live = made_live(tmp_path, channels=channels)
        with contextlib.closing(StateDb(tmp_path / "state.db")) as state:
            state.post([a_post("a", channel="hook", due_ns=0)], 0)
            receiver.kills = where.startswith("while")
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(tmp_path), where],
                env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
            )
            receiver.victim.set_result(child)
            assert child.wait(60) == -signal.SIGKILL
            receiver.kills = False
            now_ns = state.outbox(1)[0].due_ns + HOUR_NS
            Delivery(state, patience_s=60).step(live.current, now_ns)
            assert state.outbox(1)[0].sent_ns is not None
    keys = [request.headers["idempotency-key"] for request in receiver.requests]
    assert len(keys) == (1 if where == "after mark" else 2)
    assert len(set(keys)) == 1
