"""Plans of a past, and offices drawn by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.past.office import PastDrawer
from lab.past.plan import plan_history
from lab.running.script import Past, load_script

if TYPE_CHECKING:
    from config.config import Config
    from lab.past.office import OfficePast
    from lab.past.plan import PastPlan
    from lab.running.scope import Places
    from lab.running.script import Script


def draw_office(plan: PastPlan, site: Any) -> OfficePast:
    return PastDrawer(plan).draw(site)


NOW = 1_795_420_800_000_000_000  # Monday 23 November 2026, 08:00 UTC


def plan_of(  # noqa: PLR0917
    config: Config,
    few: Places,
    script: Script | None = None,
    weeks: float = 3 / 7,
    now_ns: int = NOW,
    seed: int = 1,
) -> PastPlan:
    script = script or load_script(None, few)
    return plan_history(config, script, few, now_ns=now_ns, weeks=weeks, seed=seed)


def busy_past(**rates: float) -> Past:
    return Past(
        **{
            "provider_outages_per_month": 60.0,
            "flaps_per_month": 30.0,
            "power_cuts_per_month": 30.0,
            "bad_spells_per_month": 60.0,
            "headquarters_faults_per_month": 30.0,
            **rates,
        }
    )
