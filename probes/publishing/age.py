"""How old a report is, by the best clock there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from probes.publishing.spool import Made
    from telemetry.clock import WallClock


class Age(NamedTuple):
    """Age in ns, and whether a clock that no correction can move vouches for it."""

    ns: int
    monotonic: bool


def age_of(made: Made, boot: str, clock: WallClock) -> Age:
    """Within one boot by the monotonic clock; across boots by real time, as good as that was and is (never below 0)."""
    elapsed_ns = clock.monotonic_ns() - made.mono_ns
    if made.boot == boot and elapsed_ns >= 0:
        return Age(elapsed_ns, monotonic=True)
    return Age(max(0, clock.now_ns() - made.real_ns), monotonic=False)
