"""Which lines broke under a call's load when they were rehearsed last, and nothing better has been seen of them since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analytics.rehearsed import RECALLED_NS, BrokeInRehearsal, nobody_broke
from config.profiles import ladder_of
from telemetry.decisions import OutcomeState
from telemetry.rehearsal_reasons import WhyNot
from telemetry.rehearsing import OfficeState
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analytics.lines import Lines
    from config.config import Config
    from config.profiles import CallProfile
    from telemetry.rehearsing import OfficeProgress, RehearsalRecord
    from telemetry.state.db import StateDb

ASKED_BEFORE_NS: Final = 6 * HOUR_NS
"""A rehearsal of a large fleet goes on for long after it was asked for."""


@dataclass(frozen=True, slots=True)
class _Word:
    """What one rehearsal, or one meeting, said of one office's lines."""

    site: str
    paths: tuple[str, ...]
    at_ns: int
    held: str
    """The call profile up to which it held; empty for none."""
    broke: str = ""
    """The one that broke; empty for none."""
    began_ns: int = 0
    is_down: bool = False
    got_bps: float = float("nan")


def broke_in_rehearsal(
    state: StateDb, config: Config, lines: Lines, now_ns: int
) -> dict[str, BrokeInRehearsal]:
    """By call profile, what the last rehearsal of each line speaks against as of `now_ns`; empty where nobody broke.

    A newer word takes the place of an older one as far as it goes: a rehearsal that held the profile, and a meeting under it that
    held. What was refused, broken off or not heard says nothing, nor does a line whose stated rate ended the climb.
    """
    since_ns = now_ns - RECALLED_NS
    words = list(_rehearsed(state.rehearsals_since(since_ns - ASKED_BEFORE_NS)))
    if not any(word.broke for word in words):
        return {}
    words += _met(state, config, lines, since_ns, now_ns)
    against: dict[tuple[str, str], _Word] = {}
    for word in sorted(words, key=lambda one: one.at_ns):
        if since_ns <= word.at_ns <= now_ns:
            _take(against, config.profiles, word)
    return _as_arrays(against, config.profiles, lines)


def _take(against: dict[tuple[str, str], _Word], profiles: dict[str, CallProfile], word: _Word) -> None:
    """By (site, path), the word that speaks against it: a newer one, unless it says nothing of what broke."""
    held = {one.id for one in ladder_of(profiles, word.held)} if word.held in profiles else set()
    for path in word.paths:
        before = against.get((word.site, path))
        if word.broke:
            against[word.site, path] = word
        elif before is not None and before.broke in held:
            del against[word.site, path]


def _as_arrays(
    against: Mapping[tuple[str, str], _Word], profiles: dict[str, CallProfile], lines: Lines
) -> dict[str, BrokeInRehearsal]:
    """Each word stands against the profile that broke and those of its ladder that ask for more."""
    columns = {path: index for index, path in enumerate(lines.paths)}
    out = {name: nobody_broke(lines.shape) for name in profiles}
    for (site, path), word in against.items():
        if site not in lines.site_index or path not in columns:
            continue
        at = lines.site_index[site], columns[path]
        for name, broke in out.items():
            if word.broke in {one.id for one in ladder_of(profiles, name)}:
                broke.began_ns[at], broke.ended_ns[at] = word.began_ns, word.at_ns
                broke.is_down[at], broke.got_bps[at] = word.is_down, word.got_bps
    return out


def _rehearsed(records: Iterable[RehearsalRecord]) -> Iterator[_Word]:
    for record in records:
        for office in record.offices if record.rungs and record.path else ():
            if office.state in {OfficeState.HELD, OfficeState.BROKE} and office.stage:
                yield _word(record, office)


def _word(record: RehearsalRecord, office: OfficeProgress) -> _Word:
    rungs = record.rungs
    up, down = (rungs.index(rung) if rung in rungs else -1 for rung in (office.rung_up, office.rung_down))
    worse, began_ns = min(up, down), record.starts_ns[office.stage - 1]
    stated = office.why.startswith(WhyNot.CEILING)
    got = office.down_bps if down < up else office.up_bps
    return _Word(
        site=office.site,
        paths=(record.path,),
        at_ns=began_ns + round(len(rungs) * record.rung_s * SECOND_NS),
        held=rungs[worse] if worse >= 0 else "",
        broke=rungs[worse + 1] if worse + 1 < len(rungs) and not stated else "",
        began_ns=began_ns,
        is_down=down < up,
        got_bps=float("nan") if got is None else got,
    )


def _met(state: StateDb, config: Config, lines: Lines, from_ns: int, now_ns: int) -> Iterator[_Word]:
    """Meetings that held since: the call itself was the load."""
    for outcome in state.outcomes(from_ns, now_ns):
        if outcome.state is not OutcomeState.HELD or outcome.settled_ns > now_ns:
            continue
        found = config.calendar.find(outcome.meeting, outcome.occurrence_ns, outcome.occurrence_ns)
        if found is not None and found.ends_ns <= now_ns:
            paths = tuple(lines.paths[column] for column in lines.to_end(found.meeting.end))
            yield _Word(outcome.site, paths, found.starts_ns, found.meeting.profile)
