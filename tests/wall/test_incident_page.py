"""The story of a shared fault: what was told of it counts for it, and for no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from msgspec import structs

from dashboards.wall.incident_page import case_page
from dashboards.wall.picture.times import ms
from telemetry.alerting import Alert, AlertState, Kind, Laid, Severity
from telemetry.decisions import Factor, FactorKind
from telemetry.state.db import StateDb
from tests.wall.storied_fleet import shared
from tests.wall.story import NOW_NS, since

if TYPE_CHECKING:
    from pathlib import Path

SITES = ("agra", "etah", "mathura")
CONFIG = cast("Any", SimpleNamespace(people=(), registry=SimpleNamespace(by_id=dict.fromkeys(SITES))))
PROVIDER = shared("6924-1", Factor(kind=FactorKind.PROVIDER, name="provider-b"), SITES, (40, 34))
STATE = shared("6924-2", Factor(kind=FactorKind.END, name="state"), SITES, (27, None))


def alert(site: str, told_min: float, *laid: Laid, incident: str = STATE.id) -> Alert:
    """An office's alert that was told of the provider's fault, and is laid to the state's by now."""
    person = f"site:{site}"
    return Alert(
        id=f"A-{site}",
        kind=Kind.NOT_YOUR_LINE,
        state=AlertState.FIRING,
        severity=Severity.URGENT,
        site=site,
        incident=incident,
        since_ns=since(told_min),
        pending_ns=since(told_min),
        fired_ns=since(told_min),
        said_ns=since(told_min),
        eased=(person,),
        laid=laid,
    )


def told_of(folder: Path, incident: str, *alerts: Alert) -> tuple[int | None, int] | None:
    """How many offices heard that it is not their line, and when the first did (ms); None when nobody did."""
    state = StateDb(folder / "state.db")
    state.put_incidents([PROVIDER, STATE])
    state.put_alerts(alerts, [], NOW_NS)
    page = case_page(CONFIG, cast("Any", state), incident, NOW_NS)
    state.close()
    return next(((one.n, one.at_ms) for one in page.story if one.what == "eased"), None)


def test_who_was_told_of_one_fault_counts_for_that_though_another_explains_the_office_now(
    tmp_path: Path,
) -> None:
    """Three were told of the provider's 38 minutes ago; one of them of the state's 26 minutes ago."""
    of_provider = {site: Laid(f"site:{site}", PROVIDER.id, since(38), PROVIDER.factor) for site in SITES}
    again = Laid("site:agra", STATE.id, since(26), STATE.factor)
    alerts = [alert(site, 38, of_provider[site]) for site in SITES]
    alerts[0] = structs.replace(alerts[0], laid=(of_provider["agra"], again), said_ns=since(26))
    assert told_of(tmp_path, PROVIDER.id, *alerts) == (3, ms(since(38)))
    assert told_of(tmp_path, STATE.id, *alerts) == (1, ms(since(26)))


def test_nobody_was_told_of_a_fault_before_it_began(tmp_path: Path) -> None:
    """Alerts of before do not say of what they told: what was said later counts for what they are laid to."""
    alerts = alert("agra", 38), alert("etah", 25), alert("mathura", 38, incident=PROVIDER.id)
    assert told_of(tmp_path, STATE.id, *alerts) == (1, ms(since(25)))
    assert told_of(tmp_path, PROVIDER.id, *alerts) == (1, ms(since(38)))


def test_an_office_counts_once_however_many_people_it_has(tmp_path: Path) -> None:
    """Two in-charges of one office heard one after the other: one office, told when the first was."""
    first, second = (Laid(who, STATE.id, since(at), STATE.factor) for who, at in (("a", 24), ("b", 20)))
    assert told_of(tmp_path, STATE.id, alert("agra", 24, first, second)) == (1, ms(since(24)))
