"""An office's agent works out its figures without numpy: the same bits as with it."""

from __future__ import annotations

import json
import marshal
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from probes.icmp.echo_tally import round_trip
from probes.kernel.clock_discipline import Discipline
from probes.measuring.measuring_messages import (
    REPLY_TAG,
    SENT_TAG,
    STAMPED_TAG,
    Ended,
    Opened,
    Progress,
    encode_event,
)
from probes.measuring.records import REPLY, SENT, STAMPED
from probes.metering.meter import Meter
from probes.stamp.stamp_tlv import Mode
from probes.stamp.timestamp_arrays import ntp64_array
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from probes.metering.exchanges import FrameRecords

MS = 1_000_000
STEP_NS = 1_700_000_025 * 1_000_000_000
WITHOUT = """
import marshal, sys
sys.modules["numpy"] = None
from telemetry.array_choice import without_numpy
without_numpy()
"""
PLAIN = f"""
{WITHOUT}
import msgspec
from probes.icmp.echo_tally import round_trip
from probes.metering.exchanges import FrameRecords
from probes.metering.meter import Meter
from probes.measuring.records import REPLY, SENT, STAMPED
from telemetry.arrays import np
windows, echoes = marshal.load(sys.stdin.buffer)
meters, out = dict(), []
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


def messages() -> list[bytes]:
    """Three frames of two sessions over the wrap of 32-bit numbers; the second session is never answered."""
    rng = np.random.default_rng(7)
    out: list[bytes] = []
    for frame in range(1, 5):
        start_ns, mono_ns = STEP_NS + frame * WINDOW_NS, frame * WINDOW_NS
        out.append(encode_event(Progress(mono_ns=mono_ns)))
        out.append(encode_event(Opened(frame, start_ns, mono_ns, mono_ns, Discipline(0, 0x2001, 0, 1500))))
        for session in (1, 2):
            sent = np.zeros(150, dtype=SENT)
            sent["session"], sent["frame"], sent["interval_us"] = session, frame, 100_000
            sent["sequence"] = (1 << 32) - 200 + frame * 150 + np.arange(150)
            sent["t1_ns"] = start_ns + np.arange(150) * 100 * MS
            sent["late_us"] = rng.integers(0, 9_000, 150)
            stamped = np.zeros(150, dtype=STAMPED)
            got = rng.permutation(140 if session == 1 else 0)
            for name in ("session", "t1_ns"):
                stamped[name] = sent[name]
            stamped["sequence"] = sent["sequence"] & 0xFFFF_FFFF
            replies = np.zeros(len(got), dtype=REPLY)
            replies["session"], replies["sequence"] = session, stamped["sequence"][got]
            replies["number"], replies["ssid"], replies["drops"] = replies["sequence"], 7, frame * 3
            replies["t1"] = ntp64_array(sent["t1_ns"])[got]
            replies["t2"] = ntp64_array(sent["t1_ns"] + 4 * MS)[got]
            replies["t3"] = replies["t2"]
            replies["t4_ns"] = sent["t1_ns"][got] + 9 * MS
            for tag, records in ((SENT_TAG, sent), (STAMPED_TAG, stamped), (REPLY_TAG, replies)):
                out.append(tag + records.tobytes())
        out.append(encode_event(Ended(frame=frame, cpu_ratio=0.1, clock_steps=0)))
    out.append(encode_event(Progress(mono_ns=6 * WINDOW_NS)))
    return out


ASSEMBLE = """
import msgspec
from probes.metering.meter import Meter
from probes.measuring.window_assembly import WindowAssembly

def assembled(messages):
    assembly, out = WindowAssembly(), []
    for number in (1, 2):
        meter = Meter(f"main.{number}", overhead=28, payload=172)
        assembly.add_session(number, "office", f"main.{number}", 7, meter)
    for message in messages:
        assembly.take(message)
        for frame in assembly.complete():
            out += [(one.streams, one.self_report) for one in assembly.close(frame, ["office"])]
    return msgspec.json.encode(out)
"""


def test_windows_are_put_together_the_same_without_numpy() -> None:
    """From the measuring process's messages to closed windows, kept and lent over frames; a line without any reply among them."""
    told = messages()
    program = f"{WITHOUT}{ASSEMBLE}\nsys.stdout.buffer.write(assembled(marshal.load(sys.stdin.buffer)))"
    done = subprocess.run(
        [sys.executable, "-c", program], input=marshal.dumps(told), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    here: dict[str, Any] = {}
    exec(ASSEMBLE, here)
    assert json.loads(done.stdout) == json.loads(here["assembled"](told))
    windows = json.loads(done.stdout)
    assert len(windows) == 3
    assert [one["lost"] for streams, _ in windows for one in streams] == [10, 150] * 3
    assert windows[0][1]["late_sends"] > 0
