"""What somebody has silenced: alerts go on, and nothing is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.sites import Registry
    from telemetry.alerting import Alert, Silence


class Silenced:
    """The silences that hold at a time, ready to be asked."""

    def __init__(self, silences: Iterable[Silence], registry: Registry, now_ns: int) -> None:
        self._what = {one.what for one in silences if one.from_ns <= now_ns < one.until_ns}
        self._registry = registry

    def covers(self, alert: Alert) -> bool:
        """Whether nothing is to be said of an alert; of an incident: that itself, or every office of it is silenced."""
        if not self._what:
            return False
        own = (
            {"all", f"alert:{alert.id}", f"incident:{alert.incident}"}
            if alert.incident
            else {"all", f"alert:{alert.id}"}
        )
        if own & self._what:
            return True
        sites = (alert.site,) if alert.site else alert.sites
        return bool(sites) and all(self._covers_site(site) for site in sites)

    def _covers_site(self, site: str) -> bool:
        found = self._registry.by_id.get(site)
        return f"site:{site}" in self._what or (found is not None and f"region:{found.region}" in self._what)
