"""The part of the wall that stands still: offices on their ground, regions, ends, call profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.sites import SiteStatus
from dashboards.wall.geography import ground
from dashboards.wall.picture.model import Office, Place, Scene

if TYPE_CHECKING:
    from config.config import Config
    from config.sites import Site
    from dashboards.wall.geography import Ground


def scene(config: Config) -> Scene:
    """Lay out what the configuration says."""
    sites = config.registry.sites
    plane = ground(sites)
    deployment = config.settings.deployment
    return Scene(
        name=deployment.name,
        timezone=deployment.timezone,
        language=deployment.language,
        phone=deployment.noc_phone,
        offices=tuple(_office(site, plane, index) for index, site in enumerate(sites)),
        regions=_regions(config),
        ends=tuple(Place(id=end.id, hi=end.name_hi, en=end.name_en) for end in config.headquarters.values()),
        profiles=tuple(
            Place(id=profile.id, hi=profile.name_hi, en=profile.name_en)
            for profile in config.profiles.values()
        ),
        width=plane.width,
        height=plane.height,
        cells=plane.cells,
        outline=plane.outline,
        calendar=str(config.settings.files.meetings),
    )


def _office(site: Site, plane: Ground, index: int) -> Office:
    x, y = plane.points[index]
    return Office(
        id=site.id,
        hi=site.name_hi,
        en=site.name_en,
        region=site.region,
        x=x,
        y=y,
        level=site.level,
        provider=site.provider,
        linked=site.status is SiteStatus.LINKED,
    )


def _regions(config: Config) -> tuple[Place, ...]:
    """Regions in the operator's order; one that only a site names keeps its own word."""
    named = {
        region.id: Place(id=region.id, hi=region.name_hi, en=region.name_en)
        for region in config.regions.values()
    }
    for site in config.registry.sites:
        named.setdefault(site.region, Place(id=site.region, hi=site.region, en=site.region))
    present = {site.region for site in config.registry.sites}
    return tuple(place for place in named.values() if place.id in present)
