"""Answers the operator's requests to the running fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lab.errors import LabError
from lab.running.control import (
    Answer,
    Break,
    Broken,
    Heal,
    Healed,
    LabStatus,
    Request,
    Room,
    ShownFault,
    Switched,
)

if TYPE_CHECKING:
    from lab.line.wire import LinesStatus
    from lab.running.director import Director, Fault
    from lab.running.effect import Effect
    from lab.running.rooms import Rooms
    from lab.running.scope import Places
    from telemetry.clock import WallClock


class Directed(Protocol):
    """The running fleet, as far as the desk needs it."""

    clock: WallClock
    places: Places
    director: Director
    rooms: Rooms

    async def impair(self, scope: str, effect: Effect, for_s: float | None = None) -> Fault:
        """Lay an effect on the lines of a scope; in force when this returns."""
        ...

    async def heal(self, scope: str | None = None) -> tuple[Fault, ...]:
        """Take away what was broken by hand on a scope, or everything; in force when this returns."""
        ...

    def switch_rooms(self, scope: str, *, on: bool) -> tuple[str, ...]:
        """Switch the rooms' devices of a scope; which offices they are of."""
        ...

    async def status(self) -> LinesStatus:
        """What the lines have carried so far."""
        ...


async def answer(fleet: Directed, request: Request) -> Answer:
    """Do what is asked, and say what came of it.

    Raises:
        LabError: the request names what is not there, or nothing to do.
    """
    match request:
        case Break():
            return await _break(fleet, request)
        case Heal():
            return await _heal(fleet, request)
        case Room():
            switched = fleet.switch_rooms(request.scope, on=request.on)
            return Switched(offices=len(switched), off=fleet.rooms.off)
        case _:
            return await _status(fleet)


async def _break(fleet: Directed, request: Break) -> Broken:
    if request.effect.is_nothing:
        raise LabError("nothing to break: say what, as --loss 0.05")
    fault = await fleet.impair(request.scope, request.effect, request.for_s)
    offices = {site.id for site, _ in fleet.places.lines(fault.scope)}
    return Broken(fault=_shown(fault), offices=len(offices))


async def _heal(fleet: Directed, request: Heal) -> Healed:
    off = fleet.rooms.off
    healed = await fleet.heal(request.scope)
    rooms = tuple(site for site in off if site not in fleet.rooms.off)
    left = () if request.scope is None else fleet.director.touching(fleet.places.scope(request.scope))
    return Healed(healed=tuple(map(_shown, healed)), left=tuple(map(_shown, left)), rooms=rooms)


async def _status(fleet: Directed) -> LabStatus:
    lines = await fleet.status()
    now_ns = fleet.clock.now_ns()
    return LabStatus(
        offices=len(fleet.places.sites),
        ends=fleet.places.ends,
        by_hand=tuple(map(_shown, fleet.director.faults)),
        scripted=tuple(
            ShownFault(
                scope=", ".join(map(str, scopes)), effect=effect, since_ns=now_ns, name=name, strength=weight
            )
            for name, scopes, effect, weight in fleet.director.scripted(now_ns)
        ),
        packets=sum(one.arrived for one in lines.counts),
        lost=sum(one.lost for one in lines.counts),
        unsent=sum(one.unsent for one in lines.counts),
        late_us=lines.late_us,
        rooms_off=fleet.rooms.off,
    )


def _shown(fault: Fault) -> ShownFault:
    return ShownFault(
        scope=str(fault.scope), effect=fault.effect, since_ns=fault.since_ns, until_ns=fault.until_ns
    )
