"""Says what every line of the running fleet is like now: its character, the script's hour, and what was broken by hand."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from lab.line.wire import LineState
from lab.running.agenda import Agenda, strength
from lab.running.character import characters
from lab.running.effect import Effect, overlaid
from lab.running.scope import Scope, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.line.impairment import Impairment
    from lab.running.scope import Places
    from lab.running.script import Script

_STEPS: Final = 64
"""Ramps move in so many steps, so that a line is told of a new state only now and then."""


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something broken by hand."""

    number: int
    scope: Scope
    effect: Effect
    since_ns: int
    until_ns: int | None = None


class Change(Struct, frozen=True, kw_only=True):
    """What the lines have to be told."""

    states: tuple[LineState, ...] = ()
    cut: dict[str, bool] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing has changed."""
        return not self.states and not self.cut


class Director:
    """Pure bookkeeping over injected times; `change` returns only what is new since the last call."""

    def __init__(self, script: Script, places: Places, timezone: str, seed: int) -> None:
        self.places = places
        self._sites = {site.id: site for site in places.sites}
        self._agenda = Agenda(script, places, timezone)
        self._characters = characters(script, places, seed)
        self._faults: list[Fault] = []
        self._numbers = count(1)
        self._told: dict[tuple[str, str], tuple[Impairment, Impairment]] = {}
        self._cut: dict[str, bool] = {}

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is broken by hand, oldest first."""
        return tuple(self._faults)

    def break_(self, scope: Scope, effect: Effect, now_ns: int, until_ns: int | None = None) -> Fault:
        """Lay an effect on lines. On the same scope and direction, the newer one's figures replace the older's."""
        same = next(
            (f for f in self._faults if f.scope == scope and f.effect.direction == effect.direction), None
        )
        if same is not None:
            self._faults.remove(same)
            effect = same.effect.merged(effect)
        fault = Fault(
            number=next(self._numbers),
            scope=scope,
            effect=effect,
            since_ns=now_ns if same is None else same.since_ns,
            until_ns=until_ns,
        )
        self._faults.append(fault)
        return fault

    def heal(self, scope: Scope | None = None) -> tuple[Fault, ...]:
        """Take away what was broken by hand on exactly this scope, or everything; what was taken away."""
        gone = tuple(fault for fault in self._faults if scope is None or fault.scope == scope)
        self._faults = [fault for fault in self._faults if fault not in gone]
        return gone

    def expire(self, now_ns: int) -> tuple[Fault, ...]:
        """Take away the faults whose time is over."""
        gone = tuple(
            fault for fault in self._faults if fault.until_ns is not None and fault.until_ns <= now_ns
        )
        self._faults = [fault for fault in self._faults if fault not in gone]
        return gone

    def next_end_ns(self) -> int | None:
        """When the next fault's time is over."""
        return min((fault.until_ns for fault in self._faults if fault.until_ns is not None), default=None)

    def touching(self, scope: Scope) -> tuple[Fault, ...]:
        """The faults by hand that lie on any line of a scope."""
        lines = {(site.id, end) for site, end in self.places.lines(scope)}
        return tuple(
            fault
            for fault in self._faults
            if any((site.id, end) in lines for site, end in self.places.lines(fault.scope))
        )

    def scripted(self, now_ns: int) -> list[tuple[str, tuple[Scope, ...], Effect, float]]:
        """The script's rules that act now: name, scopes, effect, strength (0..1]."""
        minute = self._agenda.minute_of_week(np.array([now_ns]))
        out = []
        for rule, scopes, effect in self._agenda.hours:
            weight = round(float(strength(rule, minute)[0]) * _STEPS) / _STEPS
            if weight:
                out.append((rule.name, scopes, effect, weight))
        for fault, scopes, effect, start_ns, end_ns in self._agenda.faults:
            if start_ns <= now_ns < end_ns:
                out.append((fault.name, scopes, effect, 1.0))
        return out

    def change(self, now_ns: int) -> Change:
        """What has changed since the last call; everything at the first."""
        self.expire(now_ns)
        acting = [(scopes, effect, weight) for _, scopes, effect, weight in self.scripted(now_ns)]
        acting += [((fault.scope,), fault.effect, 1.0) for fault in self._faults]
        states = []
        for (site_id, end), character in self._characters.items():
            site = self._sites[site_id]
            here = [
                (effect, weight)
                for scopes, effect, weight in acting
                if any(scope.covers(site, end, self.places.providers) for scope in scopes)
            ]
            up = overlaid(character.up, *(effect.on("up", weight) for effect, weight in here))
            down = overlaid(character.down, *(effect.on("down", weight) for effect, weight in here))
            if self._told.get((site_id, end)) != (up, down):
                self._told[site_id, end] = (up, down)
                states.append(LineState(site_id, end, up, down))
        return Change(states=tuple(states), cut=self._newly_cut((s, e) for s, e, _ in acting))

    def _newly_cut(self, acting: Iterable[tuple[tuple[Scope, ...], Effect]]) -> dict[str, bool]:
        """Offices whose whole line is out: their TCP goes with it. An outage of one end leaves the office on line."""
        cutting = [
            scope
            for scopes, effect in acting
            if effect.outage  # in either direction: TCP needs both
            for scope in scopes
            if scope.kind is not ScopeKind.END
        ]
        changed = {}
        for site in self.places.sites:
            cut = any(scope.covers(site, "", self.places.providers) for scope in cutting)
            if cut != self._cut.get(site.id, False):
                self._cut[site.id] = changed[site.id] = cut
        return changed

    def state(self, site: str, end: str) -> tuple[Impairment, Impairment]:
        """What a line was last told to be, up and down."""
        return self._told[site, end]
