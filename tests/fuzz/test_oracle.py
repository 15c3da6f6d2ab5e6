"""The oracle itself sees rubbish of every sort: it is no second copy of the codec's own checks."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from telemetry import codec
from telemetry.messages import Opaque, Stream
from telemetry.store.protocol import Received
from tests.fuzz.oracle import rubbish

GOLDEN = codec.decode((Path(__file__).parents[1] / "telemetry" / "golden" / "stream.json").read_bytes())
SITES = {GOLDEN.site}


def changed(**fields: object) -> Received:
    return Received(msgspec.structs.replace(GOLDEN, **fields), GOLDEN.start_ns)


def with_stream(where: str, **fields: object) -> Received:
    """Fields forced past the type's own checks."""
    stream = msgspec.convert(msgspec.to_builtins(GOLDEN.items[0]), Stream)
    target = stream if not where else getattr(stream, where)
    for name, value in fields.items():
        msgspec.structs.force_setattr(target, name, value)
    return changed(items=(stream,))


def test_a_sound_report_passes() -> None:
    """Nothing to say of the golden one."""
    assert rubbish(changed(), SITES) == []


@pytest.mark.parametrize(
    "report",
    [
        changed(site="elsewhere"),
        changed(probe="P1"),
        changed(epoch="xyz"),
        changed(seq=-1),
        changed(seq=2**53),
        changed(boot=""),
        changed(start_ns=GOLDEN.start_ns + 1),
        changed(start_ns=GOLDEN.start_ns + 120_000_000_000),
        changed(items=GOLDEN.items * 300),
        changed(items=(Opaque(b"x", "two\nlines"),)),
        with_stream("", sent=751),
        with_stream("", lost_unattributed=4),
        with_stream("", longest_loss_run=23),
        with_stream("", rate_pps=float("nan")),
        with_stream("", straddled=-1),
        with_stream("up", received=734),
        with_stream("up", pdv_hist=(5, 734)),
        with_stream("up", jitter_ms=float("inf")),
        with_stream("up", jitter_ms=-0.5),
        with_stream("down", worst_200ms_lost=1),
        with_stream("rtt", hist=(5, 729)),
        with_stream("rtt", hist=(5, 1, 4, 1)),
        with_stream("rtt", min_ms=100.0),
    ],
)
def test_rubbish_is_seen(report: Received) -> None:
    """Each of these would have been stored by a laxer codec."""
    assert rubbish(report, SITES)
