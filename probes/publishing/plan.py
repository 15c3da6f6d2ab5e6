"""From the hub's plan to what is measured now: pure functions.

The operator's own addresses win over the plan's. A plan that asks for too much is cut to what a probe allows, and
the cuts are counted: the hub may be wrong, the office's line must not pay for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from config.address import HostPort, parse_address
from probes.measuring.session import Session
from telemetry.control import Plan, PlannedEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ENDS: Final = 8
MAX_RATE_PPS: Final = 200.0
MAX_TOTAL_PPS: Final = 800.0
"""Over all ends of one office: at some 100 bytes a packet 0.64 Mbit/s each way."""
MAX_REFLECTORS: Final = 8
MAX_RATES: Final = 512
MAIN: Final = "main"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Target:
    """One path to measure: its reflectors, in order of preference."""

    uplink: str
    end: str
    reflectors: tuple[HostPort, ...]

    @property
    def path(self) -> str:
        """`<uplink>.<end>`."""
        return f"{self.uplink}.{self.end}"


@dataclass(frozen=True)
class Course:
    """A plan as this probe will follow it."""

    targets: tuple[Target, ...] = ()
    plan: Plan | None = None
    """Its rates apply; None is the base rate for ever."""
    clamped: tuple[str, ...] = ()
    """What was cut, one line each."""
    choice: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Path -> index of the reflector in use; the first where it says nothing."""

    def with_choice(self, choice: Mapping[str, int]) -> Course:
        """The same course over other reflectors."""
        return replace(self, choice=choice)

    def chosen(self, target: Target) -> HostPort:
        """The reflector in use for a path."""
        return target.reflectors[self.choice.get(target.path, 0) % len(target.reflectors)]


def chart(plan: Plan | None, overrides: Mapping[str, str] = MappingProxyType({})) -> Course:
    """What to measure under a plan (None: never had one) and the operator's own `end` or `uplink.end` -> `host:port`.

    An override for an end that the plan does not name is measured as well, on the main uplink.
    """
    clamped: list[str] = []
    named = () if plan is None else plan.ends
    targets: dict[str, Target] = {}
    for end in (*named, *_ends_of(overrides, named)):
        target = Target(end.uplink, end.end, _reflectors(end, overrides, clamped))
        if not target.reflectors:
            clamped.append(f"{target.path}: no reflector address can be used")
        elif len(target.uplink) > 31 or _NAME.fullmatch(target.end) is None:
            clamped.append(f"{target.path}: cannot be a path")
        elif len(targets) >= MAX_ENDS:
            clamped.append(f"{target.path}: more than {MAX_ENDS} ends")
        else:
            targets.setdefault(target.path, target)
    if plan is not None:
        clamped.extend(_excess(plan, len(targets)))
    return Course(tuple(targets.values()), plan, tuple(clamped))


def sessions_at(course: Course, office: str, now_ns: int) -> list[Session]:
    """The sessions of an office at an instant."""
    return [
        Session(office, target.path, *course.chosen(target), rate_at(course, now_ns, target.end))
        for target in course.targets
    ]


def rate_at(course: Course, now_ns: int, end: str = "") -> float:
    """Packets per second towards an end: the highest span for it that covers the instant, else the base rate."""
    plan = course.plan
    if plan is None:
        return Plan(valid_until_ns=0).base_rate_pps
    rate = plan.base_rate_pps
    if now_ns < plan.valid_until_ns:
        spans = (r for r in plan.rates[:MAX_RATES] if r.from_ns <= now_ns < r.until_ns)
        rate = max([rate, *(r.rate_pps for r in spans if r.end in {"", end})])
    return min(rate, MAX_RATE_PPS, MAX_TOTAL_PPS / max(1, len(course.targets)))


def next_change_ns(course: Course, now_ns: int) -> int | None:
    """When the rate may change next; None when it stays as it is."""
    if course.plan is None or now_ns >= course.plan.valid_until_ns:
        return None
    instants = [course.plan.valid_until_ns]
    for span in course.plan.rates[:MAX_RATES]:
        instants += [span.from_ns, span.until_ns]
    return min(at for at in instants if at > now_ns)


def in_meeting(course: Course, now_ns: int) -> bool:
    """Whether the plan asks for more than the base rate: before and during a meeting."""
    plan = course.plan
    return (
        plan is not None
        and now_ns < plan.valid_until_ns
        and any(
            span.from_ns <= now_ns < span.until_ns and span.rate_pps > plan.base_rate_pps
            for span in plan.rates[:MAX_RATES]
        )
    )


def _ends_of(overrides: Mapping[str, str], named: tuple[PlannedEnd, ...]) -> list[PlannedEnd]:
    known = {key for end in named for key in (end.end, f"{end.uplink}.{end.end}")}
    return [_planned(key) for key in overrides if key not in known]


def _planned(key: str) -> PlannedEnd:
    uplink, dot, end = key.partition(".")
    return PlannedEnd(end=end, uplink=uplink) if dot else PlannedEnd(end=key, uplink=MAIN)


def _reflectors(end: PlannedEnd, overrides: Mapping[str, str], clamped: list[str]) -> tuple[HostPort, ...]:
    own = overrides.get(f"{end.uplink}.{end.end}", overrides.get(end.end))
    texts = end.reflectors if own is None else (own,)
    if len(texts) > MAX_REFLECTORS:
        clamped.append(f"{end.end}: more than {MAX_REFLECTORS} reflectors")
    found = []
    for text in texts[:MAX_REFLECTORS]:
        address = parse_address(text)
        if address is None:
            clamped.append(f"{end.end}: {text!r:.60} is no host:port")
        else:
            found.append(address)
    return tuple(found)


def _excess(plan: Plan, paths: int) -> list[str]:
    cap = min(MAX_RATE_PPS, MAX_TOTAL_PPS / max(1, paths))
    said = [
        f"rate {rate:g} is cut to {cap:g} a second"
        for rate in {plan.base_rate_pps, *(r.rate_pps for r in plan.rates)}
        if rate > cap
    ]
    if len(plan.rates) > MAX_RATES:
        said.append(f"more than {MAX_RATES} rate spans")
    return said
