"""An office's agent works out its figures without numpy: the same bits as with it."""

from __future__ import annotations

import marshal
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from probes.echo_tally import round_trip
from probes.meter import Meter
from probes.stamp_tlv import Mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from probes.exchanges import FrameRecords

MS = 1_000_000
STEP_NS = 1_700_000_025 * 1_000_000_000
PLAIN = """
import sys
sys.modules["numpy"] = None
from telemetry.array_choice import without_numpy
without_numpy()
import marshal, msgspec
from probes.echo_tally import round_trip
from probes.exchanges import FrameRecords
from probes.meter import Meter
from probes.records import REPLY, SENT, STAMPED
from telemetry.arrays import np
windows, echoes = marshal.load(sys.stdin.buffer)
meters, out = {}, []
for meter, parts, ssid in windows:
    arrays = [np.frombuffer(body, dtype=kind) for body, kind in zip(parts, (SENT, SENT, STAMPED, REPLY))]
    ours = meters.setdefault(meter, Meter("main.state", overhead=28, payload=172))
    out.append(ours.close(FrameRecords(*arrays, ssid)))
sys.stdout.buffer.write(msgspec.json.encode((out, [round_trip(one) for one in echoes])))
"""


def scenario(number: int, path_type: Any, fate_type: Any) -> Any:
    """A path with troubles of its own: each kind alone and, with the higher numbers, together."""
    rng = random.Random(number)
    loss = rng.choice((0.0, 0.0, 0.01, 0.2, 1.0 if number == 5 else 0.5))
    copies = rng.choice((0.0, 0.0, 0.05))
    spread = rng.choice((0, MS // 10, 5 * MS, 60 * MS))
    step = rng.choice((0, 0, 30 * MS, 3_000 * MS, -40 * MS))
    own = rng.choice((0, 0, 0, 500 * MS))

    def delay() -> int:
        return 4 * MS + int(rng.expovariate(1.0) * spread) + rng.randrange(1000)

    def fate(*_: int) -> Any:
        if rng.random() < loss:
            return fate_type(())
        return fate_type(tuple(delay() for _ in range(1 + (rng.random() < copies))))

    return path_type(
        pps=rng.choice((10.0, 50.0, 50.0)),
        windows=3,
        up=fate,
        down=fate,
        mode=rng.choice((Mode.STATEFUL, Mode.STATEFUL, Mode.STATELESS)),
        tells=rng.random() < 0.7,
        restart_at=rng.choice(((), (), (100, 400))),
        far_offset_ns=lambda true_ns: 17 * MS + (step if true_ns > STEP_NS else 0),
        own_offset_ns=lambda true_ns: own if true_ns > STEP_NS + 4000 * MS else 0,
        generation=lambda true_ns: int(bool(own) and true_ns > STEP_NS + 4000 * MS),
        first_sequence=rng.choice((0, (1 << 32) - 300)),
    )


def test_figures_without_numpy_are_the_same_bits(
    simulate: Callable[[Any], Any], path_type: Any, fate_type: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen paths with loss, copies, overtaking, restarts and clock steps: each window's stream, to the last digit."""
    windows: list[tuple[int, list[bytes], int]] = []
    measured: list[Any] = []
    with_numpy = Meter.close

    def noted(self: Meter, records: FrameRecords) -> Any:
        parts = (records.sent, records.ahead, records.stamped, records.replies)
        windows.append((id(self), [part.tobytes() for part in parts], records.ssid))
        kept.append(self)  # an id is not given out again
        measured.append(with_numpy(self, records))
        return measured[-1]

    kept: list[Meter] = []
    monkeypatch.setattr(Meter, "close", noted)
    for number in range(16):
        simulate(scenario(number, path_type, fate_type))
    echoes = [[int(x) for x in np.random.default_rng(n).exponential(1e7, n)] for n in (0, 1, 15, 130)]
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        input=marshal.dumps((windows, echoes)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    streams, trips = msgspec.json.decode(done.stdout)
    assert len(streams) == len(measured) == 48
    for ours, theirs in zip(streams, measured, strict=True):
        assert ours == msgspec.json.decode(msgspec.json.encode(theirs))
    assert trips == msgspec.json.decode(msgspec.json.encode([round_trip(one) for one in echoes]))
    seen = [one for one in measured if one.lost and one.up.lost and one.down.lost]
    assert seen, "no path lost packets both ways"
    assert any(one.up.duplicated for one in measured)
    assert any(one.up.reordered for one in measured)
    assert any(one.reflector_restarts for one in measured)
    assert any(one.straddled for one in measured)


def test_records_are_kept_and_lent_without_numpy(tmp_path: Path) -> None:
    """The pool's own tests pass without numpy as well (their records are made with it, in here)."""
    from probes.record_pool import RecordPool
    from probes.records import REPLY, SENT, STAMPED

    rng = np.random.default_rng(7)
    batches: list[tuple[str, bytes]] = []
    for frame in range(4):
        for session in (1, 2, 9):
            sent = np.zeros(40, dtype=SENT)
            sent["session"], sent["frame"] = session, frame
            sent["sequence"] = (1 << 32) - 70 + frame * 40 + np.arange(40)
            got = rng.permutation(40)[:35]
            stamped, replies = np.zeros(40, dtype=STAMPED), np.zeros(35, dtype=REPLY)
            stamped["session"], stamped["sequence"] = session, sent["sequence"] & 0xFFFF_FFFF
            replies["session"], replies["sequence"] = session, stamped["sequence"][got]
            batches += [
                ("sent", sent.tobytes()),
                ("stamped", stamped.tobytes()),
                ("replies", replies.tobytes()),
            ]
    program = tmp_path / "pool.py"
    program.write_text(POOL, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        input=marshal.dumps(batches),
        capture_output=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr.decode()
    pool = RecordPool()
    for kind, body in batches:
        getattr(pool, f"add_{kind}")(body)
    told: list[object] = []
    for frame in range(4):
        for number, one in pool.close(frame, {1: 5, 2: 6}).items():
            parts = (one.sent, one.ahead, one.stamped, one.replies)
            told.append(
                [number, one.ssid, *([list(map(int, row)) for row in part.tolist()] for part in parts)]
            )
    assert len(told) == 8
    assert marshal.loads(done.stdout) == told


POOL = """
import sys
sys.modules["numpy"] = None
from telemetry.array_choice import without_numpy
without_numpy()
import marshal
from probes.record_pool import RecordPool
pool = RecordPool()
for kind, body in marshal.load(sys.stdin.buffer):
    getattr(pool, f"add_{kind}")(body)
told = []
for frame in range(4):
    for number, one in pool.close(frame, {1: 5, 2: 6}).items():
        parts = (one.sent, one.ahead, one.stamped, one.replies)
        told.append([number, one.ssid, *([list(row) for row in part.rows] for part in parts)])
sys.stdout.buffer.write(marshal.dumps(told))
"""
