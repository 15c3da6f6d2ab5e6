"""The whole fleet: what its offices report over MQTT equals what the relay did, packet by packet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiomqtt
import numpy as np
import pytest

from lab.line.truth_reader import read_truth
from lab.running.effect import Effect
from lab.running.fleet import Fleet
from lab.running.script import QUIET
from probes.reflecting.reflector_process import ReflectorProcess
from telemetry import codec
from telemetry.messages import Stream
from telemetry.topics import DEFAULT_ROOT, Leaf, subscription

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from lab.line.truth_reader import SpanTruth


pytestmark = [pytest.mark.server, pytest.mark.e2e]
BROKEN, SOUND = "meerut", "jaunpur"
PATIENCE_S = 240.0


async def whole_window(broker: Any, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """The first window that every (site, path) reports after its own first, which may be cut short."""
    seen: dict[int, dict[tuple[str, str], Stream]] = {}
    first: dict[tuple[str, str], int] = {}
    version = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(broker.host, broker.port, protocol=version, timeout=60) as client:
        await client.subscribe(subscription(DEFAULT_ROOT, Leaf.REPORT), qos=1)
        async for message in client.messages:
            envelope = codec.decode(bytes(message.payload))
            for item in envelope.items:
                if isinstance(item, Stream):
                    key = (envelope.site, item.path)
                    first.setdefault(key, envelope.start_ns)
                    if envelope.start_ns > first[key]:
                        seen.setdefault(envelope.start_ns, {})[key] = item
            for start_ns, streams in seen.items():
                if wanted <= streams.keys():
                    return {"start_ns": start_ns, **streams}  # type: ignore[dict-item]
    pytest.fail("the broker ended")


async def test_reports_equal_the_truth(config: Config, mosquitto: Any, tmp_path: Path) -> None:
    """Loss and duplicates of a window are the relay's, exactly and by direction; RTT and jitter within their bounds."""
    reflector = ReflectorProcess([("127.0.0.1", 0), ("127.0.0.1", 0)], log_file=tmp_path / "reflector.log")
    state, national = await asyncio.to_thread(reflector.start)
    try:
        async with Fleet(
            config,
            tmp_path,
            (mosquitto.host, mosquitto.port),
            {"state": state, "national": national},
            sites=(BROKEN, SOUND),
            script=QUIET,
            truth=True,
        ) as fleet:
            await fleet.impair("all", Effect(delay_ms=8, jitter_ms=2))
            await fleet.impair(BROKEN, Effect(direction="up", loss_ratio=0.1))
            await fleet.impair(BROKEN, Effect(direction="down", duplicate_ratio=0.1, loss_ratio=0.05))
            wanted = {(site, f"main.{end}") for site in (BROKEN, SOUND) for end in ("state", "national")}
            async with asyncio.timeout(PATIENCE_S):
                reports = await whole_window(mosquitto, wanted)
            status = await fleet.status()
            await fleet.flush_truth()
            assert sum(one.unsent for one in status.counts) == 0
            truth = read_truth(fleet.truth_dir)
            for site, path in wanted:
                window = truth.line(site, path.removeprefix("main.")).window(reports["start_ns"])
                compare(reports[site, path], window)
            assert truth.line(BROKEN, "state").window(reports["start_ns"]).up.lost > 0
            assert truth.line(SOUND, "state").window(reports["start_ns"]).lost == 0
    finally:
        await asyncio.to_thread(reflector.stop)


def compare(stream: Stream, window: SpanTruth) -> None:
    """One report against the truth of its window."""
    assert (stream.sent, stream.received, stream.lost) == (window.sent, window.received, window.lost)
    assert stream.down.duplicated == window.down.duplicated
    assert stream.up.duplicated == window.up.duplicated
    if stream.lost_unattributed == 0:
        assert (stream.up.lost, stream.down.lost) == (window.up.lost, window.down.lost)
    else:
        assert stream.up.lost <= window.up.lost
        assert stream.down.lost <= window.down.lost
    # This machine's own delays lengthen round trips, by their mean; each moves J by its size in two differences at most.
    own_ms = 2 * max(stream.rtt.mean_ms - window.rtt_ns.mean() / 1e6, 0.0)
    p50_ms = np.sort(window.rtt_ns)[len(window.rtt_ns) // 2] / 1e6
    assert abs(stream.rtt.p50_ms - p50_ms) < max(0.2, own_ms)
    for measured, true in ((stream.up, window.up), (stream.down, window.down)):
        assert abs(measured.jitter_ms - true.jitter_ms) < max(0.05 * true.jitter_ms, 0.05, own_ms)
