"""The flags that are up: written when they change, their spells carried on past what the ring remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from msgspec.structs import replace

from analytics.causes import REASON
from analytics.flapping import Flapping, no_outages
from analytics.shared.onsets import EARLIER_NS
from analytics.told_flags import ToldFlags
from telemetry.decisions import NEWS, ReasonCode
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from telemetry.decisions import Flag, Incident
    from telemetry.state.db import StateDb
    from telemetry.state.flags import FlagChanges

Key = tuple[str, str, ReasonCode]

SAME_SPELL_NS: Final = 600 * SECOND_NS
"""A spell that was seen so shortly before goes on, however far back it began."""
AWAY_NS: Final = 1800 * SECOND_NS
"""It also goes on over so long a time in which nobody looked (at a restart, or while we were blind); after a longer one nobody knows what was in between."""
REWRITE_NS: Final = 15 * SECOND_NS
"""Figures that only drift are written so often."""
_FAULTS: Final = frozenset(REASON.values())


@dataclass(slots=True)
class RaisedFlags:
    """Keeps what is open in the state database, so that it is written only when there is news."""

    _open: dict[Key, Flag] = field(default_factory=dict)
    _troubled_ns: dict[Key, int] = field(default_factory=dict)
    """Since when there has been trouble of the kind, through outages too: what is told begins anew after one."""
    _listening_since_ns: int = 0
    """What was seen last before is of another run, or of before we were blind."""
    _written_ns: int = 0
    raised: int = 0
    cleared: int = 0

    def recall(self, state: StateDb, listening_since_ns: int) -> None:
        """What was up when an earlier run ended; nobody has looked at it until `listening_since_ns`."""
        self._open = {_key(flag): flag for flag in state.open_flags()}
        self._troubled_ns = {key: flag.since_ns for key, flag in self._open.items()}
        self.listen_anew(listening_since_ns)

    def listen_anew(self, since_ns: int) -> None:
        """Nobody has looked until `since_ns` (ns since the Unix epoch) at what is up; what was up too long before begins anew."""
        self._listening_since_ns = since_ns
        for key, flag in self._open.items():
            if since_ns - flag.seen_ns > AWAY_NS:
                self._troubled_ns.pop(key, None)

    def waiting(self, flags: Sequence[Flag], hardly_heard: NDArray[np.bool_], lines: Lines) -> list[Flag]:
        """The flags of before we listened that are not among `flags`, of lines (S, P) that were `hardly_heard` since: they are neither over nor seen."""
        seen = {_key(flag) for flag in flags}
        return [
            flag
            for key, flag in self._open.items()
            if self._away_ns(flag) and key not in seen and key[2] not in NEWS
            if key[0] in lines.site_index and key[1] in lines.path_index
            if hardly_heard[lines.site_index[key[0]], lines.path_index[key[1]]]
        ]

    def since(self, site: str, path: str, code: ReasonCode) -> int | None:
        """Since when a flag has been up; None when it is not."""
        flag = self._open.get((site, path, code))
        return flag.since_ns if flag else None

    def dark_sites(self) -> set[str]:
        """The offices whose flag says dark."""
        return {site for site, _, code in self._open if code is ReasonCode.DARK}

    def put(self, state: StateDb, flags: Sequence[Flag], now_ns: int) -> FlagChanges | None:
        """Make these the open flags; None when there was nothing to write."""
        current = {_key(flag): flag for flag in self.carried(flags)}
        self._troubled_ns = {
            key: min(flag.since_ns, self._troubled_ns.get(key, flag.since_ns))
            for key, flag in current.items()
        }
        news = {key: flag.severe for key, flag in current.items()} != {
            key: flag.severe for key, flag in self._open.items()
        }
        if not news and (current == self._open or now_ns - self._written_ns < REWRITE_NS):
            return None
        changes = state.put_flags(list(current.values()), now_ns)
        self._open, self._written_ns = current, now_ns
        self.raised += len(changes.raised)
        self.cleared += len(changes.cleared)
        return changes

    def carried(self, flags: Sequence[Flag]) -> list[Flag]:
        """The same flags, each since its spell began: windows are looked at for minutes only, and a spell may have begun before."""
        outages = {
            (flag.site, flag.path): flag.since_ns for flag in flags if flag.reason.code is ReasonCode.OUTAGE
        }
        return [self._carried(flag, outages.get((flag.site, flag.path), 0)) for flag in flags]

    def line_since_ns(self, lines: Lines) -> NDArray[np.int64]:
        """(S, P): the earliest start of an open fault on each line; 0 where there is none."""
        out = np.zeros(lines.shape, dtype=np.int64)
        for (site, path, code), since_ns in self._troubled_ns.items():
            if code not in NEWS and site in lines.site_index and path in lines.path_index:
                cell = lines.site_index[site], lines.path_index[path]
                out[cell] = min(int(out[cell]) or since_ns, since_ns)
        return out

    def _away_ns(self, flag: Flag) -> int:
        """For how long nobody looked after it was seen last; 0 when it was seen since, or nobody knows what was in between."""
        away_ns = self._listening_since_ns - flag.seen_ns
        return away_ns if 0 < away_ns <= AWAY_NS else 0

    def _carried(self, flag: Flag, outage_ns: int) -> Flag:
        """With the beginning of its spell, which the ring may remember no more; `outage_ns`: when the line's last outage began."""
        before = self._open.get(_key(flag))
        is_outage = flag.reason.code is ReasonCode.OUTAGE
        if before is None or before.since_ns > flag.since_ns:
            return flag
        # Whether anybody saw it begin is still to be known when the windows have forgotten it.
        unseen = before.reason.unseen
        if before.since_ns == flag.since_ns and not is_outage:
            return replace(flag, reason=replace(flag.reason, unseen=unseen))
        unseen_ns = flag.since_ns - before.seen_ns - self._away_ns(before)
        if unseen_ns > (0 if is_outage else SAME_SPELL_NS):
            return flag
        if not is_outage and before.since_ns < outage_ns <= flag.since_ns:
            return flag  # what there was before an outage is not what there is after it
        reason = replace(flag.reason, since_ns=before.since_ns, unseen=unseen)
        if is_outage and reason.value is not None:  # so long it has lasted, or did: from its beginning too
            reason = replace(reason, value=reason.value + (flag.since_ns - before.since_ns) // SECOND_NS)
        return replace(flag, since_ns=before.since_ns, reason=reason)


def relapses(state: StateDb, lines: Lines, now_ns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(S, P) each: how many spells of one and the same reason ended on each line within the last hour, and when the first of them began.

    Those that came of one fault that offices shared are one: a line that is near its limits for as long as its provider is has not come
    back of itself again and again.
    """
    shared = [_Shared.of(incident) for incident in state.incidents(now_ns - HOUR_NS, now_ns)]
    spells: dict[Key, set[str | int]] = {}
    began: dict[Key, int] = {}
    for spell in state.flag_history(now_ns - HOUR_NS, now_ns):
        if spell.cleared_ns is not None and spell.flag.reason.code not in NEWS:
            key, since_ns = _key(spell.flag), spell.flag.since_ns
            spells.setdefault(key, set()).add(_fault_of(spell.flag, shared) or since_ns)
            began[key] = min(began.get(key, since_ns), since_ns)
    most, first_ns = np.zeros((2, *lines.shape), dtype=np.int64)
    for key, faults in spells.items():
        count = len(faults)
        site, path, _ = key
        if site in lines.site_index and path in lines.path_index:
            cell = lines.site_index[site], lines.path_index[path]
            if count > most[cell]:
                most[cell], first_ns[cell] = count, began[key]
    return most, first_ns


class _Shared(NamedTuple):
    """A fault that offices share, or shared: asked of each of thousands of spells."""

    id: str
    sites: frozenset[str]
    from_ns: int
    until_ns: int | None

    @classmethod
    def of(cls, incident: Incident) -> _Shared:
        """A spell that began a little before the fault, or a little after its end, is of it."""
        until_ns = None if incident.until_ns is None else incident.until_ns + EARLIER_NS
        return cls(incident.id, frozenset(incident.sites), incident.since_ns - EARLIER_NS, until_ns)

    def explains(self, flag: Flag) -> bool:
        """Whether a spell came of it."""
        began = self.from_ns <= flag.since_ns and (self.until_ns is None or flag.since_ns <= self.until_ns)
        return began and flag.site in self.sites


def _fault_of(flag: Flag, shared: Sequence[_Shared]) -> str:
    """The fault of which a spell came; empty without one."""
    return next((each.id for each in shared if each.explains(flag)), "")


def spells_until(state: StateDb, lines: Lines, now_ns: int) -> NDArray[np.int64]:
    """(S, P): when the last of the spells that ended on each line within the last hour was seen last; 0 without one."""
    until_ns = np.zeros(lines.shape, dtype=np.int64)
    for spell in state.flag_history(now_ns - HOUR_NS, now_ns):
        flag = spell.flag
        if spell.cleared_ns is None or flag.reason.code in NEWS:
            continue
        if flag.site in lines.site_index and flag.path in lines.path_index:
            cell = lines.site_index[flag.site], lines.path_index[flag.path]
            until_ns[cell] = max(int(until_ns[cell]), flag.reason.until_ns or flag.seen_ns)
    return until_ns


def told_outages(state: StateDb, lines: Lines, now_ns: int) -> Flapping:
    """The outages that were told and ended within the last hour."""
    found = no_outages(lines.shape)
    told: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
    for spell in state.flag_history(now_ns - HOUR_NS, now_ns):
        flag, ended_ns = spell.flag, spell.flag.reason.until_ns or spell.flag.seen_ns
        if flag.reason.code is not ReasonCode.OUTAGE:
            continue
        if flag.site not in lines.site_index or flag.path not in lines.path_index:
            continue
        cell = lines.site_index[flag.site], lines.path_index[flag.path]
        if spell.cleared_ns is not None and ended_ns > now_ns - HOUR_NS:
            found.count[cell] += 1
            found.since_ns[cell] = min(int(found.since_ns[cell]) or flag.since_ns, flag.since_ns)
            found.until_ns[cell] = max(int(found.until_ns[cell]), ended_ns)
            told[cell] = (*told.get(cell, ()), (flag.since_ns, ended_ns))
    return Flapping(found.count, found.since_ns, found.until_ns, told)


def told_flags(state: StateDb, lines: Lines, now_ns: int) -> ToldFlags:
    """The flags of faults that are up, or were within the last hour."""
    found: dict[tuple[int, int, ReasonCode], list[Flag]] = {}
    for spell in state.flag_history(now_ns - HOUR_NS, now_ns):
        flag = spell.flag
        if flag.reason.code in _FAULTS and flag.site in lines.site_index and flag.path in lines.path_index:
            line = lines.site_index[flag.site], lines.path_index[flag.path]
            found.setdefault((*line, flag.reason.code), []).append(flag)
    return ToldFlags({key: tuple(flags) for key, flags in found.items()})


def _key(flag: Flag) -> Key:
    return flag.site, flag.path, flag.reason.code
