"""Items of reports whose main figures are plain fields too: live calls and rehearsals. Fixed for ever, like `points.py`.

The items themselves stay packed in the report's point; this is what a panel can draw. Tags hold our own words only: what a probe calls a
medium is one of `MEDIA` here.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from telemetry.messages import Call, Rehearsal
from telemetry.store.server.decided import Point
from telemetry.store.server.lines import escaped
from telemetry.store.server.points import WINDOW_LANES
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from telemetry.messages import Envelope, Rung
    from telemetry.store.server.decided import Value


class Itemised(StrEnum):
    """The measurements, without the deployment's prefix."""

    CALL = "call"
    """15 s of a live call: all flows of a medium in one direction together."""
    REHEARSAL = "rehearsal"
    """What one rehearsal came to on a path, in one direction."""


MEDIA: Final = ("audio", "video", "screen")
OTHER: Final = "other"


def item_lines(prefix: str, envelopes: Iterable[Envelope]) -> list[str]:
    """The points of the calls and rehearsals in reports."""
    return [point.line for envelope in envelopes for point in _points(prefix, envelope)]


def _points(prefix: str, envelope: Envelope) -> Iterator[Point]:
    span_ms = WINDOW_LANES.span_ms
    lane_ms = envelope.seq % WINDOW_LANES.count * WINDOW_LANES.step_ms
    time_ms = envelope.start_ns // (span_ms * MS_NS) * span_ms + lane_ms
    whose = f"site={escaped(envelope.site)},probe={escaped(envelope.probe)}"
    flows: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for item in envelope.items:
        if isinstance(item, Call):
            flows[item.media if item.media in MEDIA else OTHER, item.direction].append(item)
        elif isinstance(item, Rehearsal):
            for way, rungs in (("up", item.up), ("down", item.down)):
                series = f"{prefix}_{Itemised.REHEARSAL},{whose},path={escaped(item.path)},direction={way}"
                if rungs or item.aborted is not None:
                    yield Point(series, _rehearsal(rungs, aborted=item.aborted is not None), time_ms)
    for (media, way), calls in flows.items():
        series = f"{prefix}_{Itemised.CALL},{whose},media={media},direction={way}"
        yield Point(series, _call(calls), time_ms)


def _call(calls: list[Call]) -> tuple[tuple[str, Value], ...]:
    """Sums over the flows; of jitter the worst, of frames a second the least."""
    bitrates = [call.bitrate_bps for call in calls if call.bitrate_bps is not None]
    jitters = [call.jitter_ms for call in calls if call.jitter_ms is not None]
    frames = [call.frames_per_s for call in calls if call.frames_per_s is not None]
    packets, lost = sum(call.packets for call in calls), sum(call.lost for call in calls)
    return (
        ("flows", len(calls)),
        ("packets", packets),
        ("lost", lost),
        ("expected", packets + lost),
        ("bitrate_bps", float(sum(bitrates)) if bitrates else None),
        ("jitter_ms", float(max(jitters)) if jitters else None),
        ("frames_per_s", float(min(frames)) if frames else None),
        ("freezes", sum(call.freezes for call in calls)),
        ("longest_loss_run", max(call.longest_loss_run for call in calls)),
    )


def _rehearsal(rungs: tuple[Rung, ...], *, aborted: bool) -> tuple[tuple[str, Value], ...]:
    held = [rung.bitrate_bps for rung in rungs if rung.held and rung.bitrate_bps is not None]
    growth = [rung.delay_growth_ms for rung in rungs if rung.delay_growth_ms is not None]
    return (
        ("rungs", len(rungs)),
        ("held", sum(rung.held for rung in rungs)),
        ("sent", sum(rung.sent for rung in rungs)),
        ("lost", sum(rung.lost for rung in rungs)),
        ("held_bps", float(max(held)) if held else None),
        ("delay_growth_ms", float(max(growth)) if growth else None),
        ("aborted", int(aborted)),
    )
