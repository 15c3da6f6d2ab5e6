"""The character of a line: what it is like when nothing happens, from where the office is and what line it has."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lab.line.impairment import MOST_DELAY_MS, Impairment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.sites import Site
    from lab.running.scope import Places
    from lab.running.script import End, Kind, Script

EARTH_KM: Final = 6371.0
NO_PLACE_MS: Final = 5.0
"""One-way delay to an end of which the script does not say where it is."""


class Character(Struct, frozen=True, kw_only=True):
    """A line's own state in each direction."""

    kind: str
    up: Impairment
    down: Impairment


def great_circle_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Distance over the globe (haversine formula), degrees in."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half_phi, half_lambda = (phi_b - phi_a) / 2, math.radians(lon_b - lon_a) / 2
    h = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


def characters(script: Script, places: Places, seed: int) -> Mapping[tuple[str, str], Character]:
    """The character of every (office, end); the same seed gives the same, whichever offices are asked for."""
    at = {end.id: end for end in script.ends}
    fixed = [(places.scope(text), office.kind) for office in script.offices for text in office.who]
    return {
        (site.id, end): _character(
            script,
            site,
            at.get(end),
            next(
                (kind for scope, kind in reversed(fixed) if scope.covers(site, end, places.providers)), None
            ),
            seed,
        )
        for site in places.sites
        for end in places.ends
    }


def _character(script: Script, site: Site, end: End | None, fixed: str | None, seed: int) -> Character:
    lot = Random(f"{seed}/{site.id}/character")
    drawn = _drawn(script, lot.random())
    kind = script.kind(fixed) if fixed is not None else drawn
    # One factor an office for its delay and one for its jitter; a line is a little different in each direction.
    access_ms = kind.access_ms * lot.lognormvariate(0.0, kind.spread)
    jitter_ms = kind.jitter_ms * lot.lognormvariate(0.0, kind.spread)
    slant = lot.uniform(0.85, 1.15)
    road_ms = NO_PLACE_MS
    if end is not None:
        km = great_circle_km(site.lat, site.lon, end.lat, end.lon)
        road_ms = km * script.distance.detour / script.distance.km_per_ms
    elif not kind.access_ms:
        road_ms = 0.0  # a line that adds nothing adds nothing
    delay_ms = round(access_ms + road_ms, 3)
    return Character(
        kind=kind.id,
        up=_direction(kind, delay_ms, jitter_ms * slant, site.link_up_bps, kind.up_mbps),
        down=_direction(kind, delay_ms, jitter_ms / slant, site.link_down_bps, kind.down_mbps),
    )


def _direction(
    kind: Kind, delay_ms: float, jitter_ms: float, link_bps: float | None, usual_mbps: float | None
) -> Impairment:
    rate_bps = link_bps if link_bps is not None else None if usual_mbps is None else usual_mbps * 1e6
    return Impairment(
        delay_ms=min(delay_ms, MOST_DELAY_MS),
        jitter_ms=min(round(jitter_ms, 4), MOST_DELAY_MS),
        loss_ratio=kind.loss_ratio,
        loss_burst_ms=kind.loss_burst_ms,
        rate_bps=rate_bps,
        queue_ms=kind.queue_ms,
    )


def _drawn(script: Script, lot: float) -> Kind:
    """The kind that a lot (0..1) falls on, by shares."""
    left = lot * sum(kind.share for kind in script.kinds)
    for kind in script.kinds:
        left -= kind.share
        if left < 0:
            return kind
    return script.kinds[-1]
