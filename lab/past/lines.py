"""What one office's lines were like, window by window: character, the hours of the script, and the faults drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past.congestion import DELAY_PER_JITTER
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.faults import PastFault
    from lab.running.agenda import Act
    from lab.running.character import Character
    from lab.running.effect import Effect
    from lab.running.scope import Places

DIRECTIONS: Final = ("up", "down")
DRAIN_NS: Final = 20 * SECOND_NS
"""After an outage the waiting reports come within so long."""


@dataclass(slots=True)
class LineStates:
    """One office's lines over n windows; arrays (2 directions, P paths, n) unless said otherwise."""

    start_ns: NDArray[np.int64]
    """(n,) starts of the windows."""
    delay_ms: NDArray[np.float64]
    jitter_ms: NDArray[np.float64]
    loss_ratio: NDArray[np.float64]
    burst_ms: NDArray[np.float64]
    out_share: NDArray[np.float64]
    """(P, n) share of the window in which nothing passed."""
    dark: NDArray[np.bool_]
    """(n,) nothing was measured."""
    held_until_ns: NDArray[np.int64]
    """(n,) when the office could report again; the window's own end where nothing held it."""

    def cut(self, span: slice) -> LineStates:
        """Some of the windows, as views."""
        return LineStates(*(getattr(self, field.name)[..., span] for field in fields(self)))


def line_states(  # noqa: PLR0913, PLR0917 - what a line is made of
    site: Site,
    places: Places,
    characters: Mapping[tuple[str, str], Character],
    acts: Sequence[Act],
    faults: Sequence[PastFault],
    start_ns: NDArray[np.int64],
    congestion_ms: NDArray[np.float64] | None = None,
) -> LineStates:
    """The office's lines in the windows that start at `start_ns` (n,), rising; `congestion_ms` (n,) of jitter is added downward."""
    paths, n = len(places.ends), len(start_ns)
    shape = (2, paths, n)
    states = LineStates(
        start_ns=start_ns,
        delay_ms=np.zeros(shape),
        jitter_ms=np.zeros(shape),
        loss_ratio=np.zeros(shape),
        burst_ms=np.zeros(shape),
        out_share=np.zeros((paths, n)),
        dark=dark_windows(faults, site.id, start_ns),
        held_until_ns=start_ns + WINDOW_NS,
    )
    for p, end in enumerate(places.ends):
        character = characters[site.id, end]
        for d, base in enumerate((character.up, character.down)):
            states.delay_ms[d, p] = base.delay_ms
            states.jitter_ms[d, p] = base.jitter_ms
            states.loss_ratio[d, p] = base.loss_ratio
            states.burst_ms[d, p] = base.loss_burst_ms
    _apply_acts(states, site, places, acts)
    if congestion_ms is not None:
        states.jitter_ms[1] += congestion_ms
        states.delay_ms[1] += DELAY_PER_JITTER * congestion_ms
    for fault in faults:
        if site.id in fault.sites and not fault.dark and not fault.effect.is_nothing:
            _apply_fault(states, places, fault)
    return states


def dark_windows(faults: Sequence[PastFault], site: str, start_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """In which windows (n,) an office had no power; one in which it went is not reported either."""
    dark = np.zeros(len(start_ns), dtype=bool)
    for fault in faults:
        if fault.dark and site in fault.sites:
            first, last = np.searchsorted(start_ns, (fault.start_ns - WINDOW_NS + 1, fault.end_ns))
            dark[first:last] = True
    return dark


def _apply_acts(states: LineStates, site: Site, places: Places, acts: Sequence[Act]) -> None:
    for act in acts:
        for p, end in enumerate(places.ends):
            if any(scope.covers(site, end, places.providers) for scope in act.scopes):
                _apply(states, p, act.span, act.effect, act.weight)


def _apply(states: LineStates, path: int, span: slice, effect: Effect, weight: NDArray[np.float64]) -> None:
    """Lay an effect over a span of a path's windows."""
    for d, direction in enumerate(DIRECTIONS):
        if effect.direction not in ("both", direction):
            continue
        if effect.delay_ms:
            states.delay_ms[d, path, span] += effect.delay_ms * weight
        if effect.jitter_ms:
            states.jitter_ms[d, path, span] += effect.jitter_ms * weight
        if effect.loss_ratio:
            _lose(states, (d, path, span), effect, effect.loss_ratio * weight)
    if effect.outage:
        states.out_share[path, span] = np.maximum(states.out_share[path, span], weight > 0)


def _lose(
    states: LineStates, where: tuple[int, int, slice], effect: Effect, lost: NDArray[np.float64]
) -> None:
    """Independent of what is lost already; the burstiness is that of the cause that loses more."""
    before = states.loss_ratio[where]
    more = (lost >= before) & (lost > 0)
    states.burst_ms[where] = np.where(more, effect.loss_burst_ms or 0.0, states.burst_ms[where])
    states.loss_ratio[where] = before + lost - before * lost


def _apply_fault(states: LineStates, places: Places, fault: PastFault) -> None:
    first, last = np.searchsorted(states.start_ns, (fault.start_ns - WINDOW_NS + 1, fault.end_ns))
    if first >= last:
        return
    starts = states.start_ns[first:last]
    begun = np.maximum(starts, fault.start_ns)
    over = np.minimum(starts + WINDOW_NS, fault.end_ns)
    share = (over - begun) / WINDOW_NS
    if fault.grows_ns:
        share = share * np.clip((begun - fault.start_ns) / fault.grows_ns, 0.0, 1.0)
    for p, end in enumerate(places.ends):
        if end not in fault.ends:
            continue
        if fault.effect.outage:
            states.out_share[p, first:last] = np.minimum(states.out_share[p, first:last] + share, 1.0)
        else:
            _apply(states, p, slice(first, last), fault.effect, share)
    if fault.cuts_reports:
        held = states.held_until_ns[first:last]
        np.maximum(held, fault.end_ns + DRAIN_NS, out=held, where=share >= 1.0)
