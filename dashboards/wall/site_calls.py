"""The live call that an office's probe sees passing, and the office's last rehearsal, for the panels beside the charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dashboards.wall.picture.reasons import shown, shown_ratio
from dashboards.wall.picture.times import ms
from telemetry.messages import Call, Rehearsal
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from telemetry.messages import Rung
    from telemetry.store.protocol import StoredItem, StoreReader

LIVE_NS: Final = 60 * SECOND_NS
"""A flow that was seen so long ago is still called live: windows come every 15 s, and some are late."""
REHEARSED_NS: Final = 28 * DAY_NS
"""So far back the last rehearsal is looked for."""


class Flow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One media flow in its newest window."""

    flow: str
    media: str
    direction: str
    """`up`: from the office."""
    loss: float | None = None
    bitrate_bps: float | None = None
    jitter_ms: float | None = None
    frames_per_s: float | None = None
    freezes: int = 0
    estimated: bool = False
    """Read from sizes and times alone, because the media is encrypted."""


class LiveCall(Struct, frozen=True, kw_only=True):
    """The flows of the newest window with any."""

    at_ms: int
    """End of that window."""
    flows: tuple[Flow, ...]


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rung of the ladder."""

    name: str
    held: bool
    bitrate_bps: float | None = None
    loss: float | None = None
    delay_growth_ms: float | None = None


class LastRehearsal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest rehearsal of the office."""

    at_ms: int
    path: str
    up: tuple[Step, ...] = ()
    down: tuple[Step, ...] = ()
    aborted: str = ""


def live_call(reader: StoreReader, site: str, now_ns: int) -> LiveCall | None:
    """The call that is on the line now; None when none is seen."""
    seen = reader.items("call", Selection(now_ns - LIVE_NS - WINDOW_NS, now_ns + WINDOW_NS, sites=(site,)))
    if not seen:
        return None
    newest_ns = max(stored.start_ns for stored in seen)
    return LiveCall(
        at_ms=ms(newest_ns + WINDOW_NS),
        flows=tuple(
            _flow(stored.item)
            for stored in seen
            if stored.start_ns == newest_ns and isinstance(stored.item, Call)
        ),
    )


def _flow(item: Call) -> Flow:
    expected = item.packets + item.lost
    return Flow(
        flow=item.flow,
        media=item.media,
        direction=item.direction,
        loss=shown_ratio(item.lost / expected) if expected else None,
        bitrate_bps=shown(item.bitrate_bps, 3),
        jitter_ms=shown(item.jitter_ms),
        frames_per_s=shown(item.frames_per_s),
        freezes=item.freezes,
        estimated=item.estimated,
    )


def last_rehearsal(reader: StoreReader, site: str, now_ns: int) -> LastRehearsal | None:
    """The newest one within four weeks; None when there was none."""
    selection = Selection(now_ns - REHEARSED_NS, now_ns + WINDOW_NS, sites=(site,))
    stored = max(reader.items("rehearsal", selection), key=_when, default=None)
    if stored is None or not isinstance(stored.item, Rehearsal):
        return None
    item = stored.item
    return LastRehearsal(
        at_ms=ms(stored.start_ns),
        path=item.path,
        up=tuple(map(_step, item.up)),
        down=tuple(map(_step, item.down)),
        aborted=item.aborted or "",
    )


def _when(stored: StoredItem) -> int:
    return stored.start_ns


def _step(rung: Rung) -> Step:
    return Step(
        name=rung.name,
        held=rung.held,
        bitrate_bps=shown(rung.bitrate_bps, 3),
        loss=shown_ratio(rung.lost / rung.sent) if rung.sent else None,
        delay_growth_ms=shown(rung.delay_growth_ms),
    )
