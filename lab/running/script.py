"""The lab's script, `lab.toml`: what lines are made of, and what happens on them by time of day.

The reference of every key is `config/defaults/lab.toml`, which is also the default.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

import config
from config.text import one_of
from config.toml_file import TomlFile
from lab.line.impairment import DelayMs
from lab.running.effect import Effect
from lab.running.scope import Places, ScopeError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_SCRIPT: Final = Path(config.__file__).parent / "defaults" / "lab.toml"
Share = Annotated[float, Meta(ge=0, le=1e6)]
Mbit = Annotated[float, Meta(ge=0.001, le=1e6)]
Minutes = Annotated[float, Meta(ge=0.1, le=44_640)]
"""Of one fault; at most a month."""
PerMonth = Annotated[float, Meta(ge=0, le=1000)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z|24:00\Z")


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the script; a key that is none is refused."""


class Distance(_Table, frozen=True, kw_only=True):
    """How far away makes how much delay."""

    km_per_ms: Annotated[float, Meta(ge=1, le=1e6)] = 200.0
    """One way, light in glass."""
    detour: Annotated[float, Meta(ge=1.0, le=100)] = 1.8
    """Cable length over the straight line."""


class End(_Table, frozen=True, kw_only=True):
    """Where a headquarters is."""

    id: str
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class Kind(_Table, frozen=True, kw_only=True):
    """A kind of line; `share` of the offices have it."""

    id: str
    share: Share
    access_ms: DelayMs
    """One-way delay between the office and its provider's network."""
    jitter_ms: DelayMs
    loss_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.0
    loss_burst_ms: DelayMs = 0.0
    spread: Annotated[float, Meta(ge=0, le=1)] = 0.25
    """How much offices of one kind differ (sigma of the logarithm of jitter and access delay)."""
    up_mbps: Mbit | None = None
    down_mbps: Mbit | None = None
    queue_ms: Annotated[float, Meta(ge=1, le=10_000)] = 200.0


class Office(_Table, frozen=True, kw_only=True):
    """The kind of some lines, when the lot shall not decide it; the last that covers a line rules."""

    who: tuple[str, ...]
    kind: str


class Hours(Effect, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What happens at the same hours again and again. Hours past midnight are written `from = "22:00"`, `until = "02:00"`."""

    name: str
    who: tuple[str, ...]
    days: tuple[Day, ...] = DAYS
    """Days on which it begins."""
    from_: str
    until: str
    ramp_min: Annotated[float, Meta(ge=0, le=1440)] = 0.0
    """It grows over so many minutes, and fades likewise, within `from` and `until`."""


class ScriptedFault(Effect, frozen=True, kw_only=True):
    """What happens once."""

    name: str
    who: tuple[str, ...]
    at: dt.datetime
    """Without an offset: in the deployment's time zone."""
    minutes: Minutes


class Past(_Table, frozen=True, kw_only=True):
    """What `tatpar lab history` draws by lot, beside the hours above; means per office unless said otherwise."""

    provider_outages_per_month: PerMonth = 0.0
    """Of each provider, in one region."""
    provider_outage_minutes: Minutes = 25.0
    flaps_per_month: PerMonth = 0.0
    """Spells in which a line comes and goes."""
    flap_minutes: Minutes = 12.0
    flapping_lines_per_month: PerMonth = 0.0
    """Lines that begin to flap again and again."""
    flapping_days: Annotated[float, Meta(ge=0.1, le=10)] = 3.0
    flaps_per_day: Annotated[float, Meta(ge=0.1, le=100)] = 6.0
    """Spells of flapping on such a line."""
    power_cuts_per_month: PerMonth = 0.0
    power_cut_minutes: Minutes = 35.0
    bad_spells_per_month: PerMonth = 0.0
    """Hours of raised loss and jitter (a bad joint, a full cell)."""
    bad_spell_minutes: Minutes = 90.0
    creeping_share: Fraction = 0.0
    """Of the bad spells: those that begin with strain that grows."""
    creeping_minutes: Minutes = 120.0
    creeping_breaks_share: Fraction = 0.7
    """Of the growing strain: what does turn into a bad spell; the rest recedes."""
    congested_share: Fraction = 0.0
    """Of the offices: those whose line is full on some evenings."""
    congestion_jitter_ms: Annotated[float, Meta(ge=0, le=1000)] = 24.0
    """What a mean evening adds to such a line at its height."""
    works_per_month: PerMonth = 0.0
    """Announced works of each provider, in one region."""
    works_overrun_share: Fraction = 0.2
    works_overrun_minutes: Minutes = 60.0
    works_called_off_share: Fraction = 0.1
    holidays_per_month: Annotated[float, Meta(ge=0, le=20)] = 0.0
    holiday_closed_share: Fraction = 0.3
    """Of the offices: those that switch everything off on a holiday."""
    headquarters_faults_per_month: PerMonth = 0.0
    """Of each end."""
    headquarters_fault_minutes: Minutes = 10.0


class Script(_Table, frozen=True, kw_only=True):
    """The whole of `lab.toml`."""

    distance: Distance = Distance()
    ends: tuple[End, ...] = ()
    kinds: tuple[Kind, ...] = ()
    offices: tuple[Office, ...] = ()
    hours: tuple[Hours, ...] = ()
    faults: tuple[ScriptedFault, ...] = ()
    past: Past = Past()

    def kind(self, kind_id: str) -> Kind:
        """The kind of that id."""
        return next(kind for kind in self.kinds if kind.id == kind_id)


R = TypeVar("R", Office, Hours, ScriptedFault)

QUIET: Final = Script(kinds=(Kind(id="clear", share=1.0, access_ms=0.0, jitter_ms=0.0, spread=0.0),))
"""Lines that do nothing at all of themselves: for tests."""


def minute_of_day(text: str) -> int:
    """Minutes since midnight of `HH:MM`; `24:00` is the end of the day.

    Raises:
        ValueError: it is no time of day.
    """
    if not _TIME.match(text):
        raise ValueError(f"`{text}` is no time of day")
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def load_script(path: Path | None, places: Places) -> Script:
    """The script in a file, or the built-in one, checked against what there is in this deployment.

    The built-in script may name offices that a deployment does not have: those rules are left out.

    Raises:
        ConfigError: the file cannot be used; one line that says where, what, and what to write instead.
    """
    file = TomlFile(path if path is not None else DEFAULT_SCRIPT)
    _check_times(file)
    script = file.convert(file.tables, Script)
    _check(file, script, None if path is None else places)
    return script if path is not None else fitting(script, places)


def script_path(settings_file: Path, name: str) -> Path | None:
    """Where the script of a deployment is; None for the built-in one (the default name, and no such file)."""
    path = settings_file.parent / name
    if path == DEFAULT_SCRIPT or (name == DEFAULT_SCRIPT.name and not path.exists()):
        return None
    return path


def fitting(script: Script, places: Places) -> Script:
    """A script without what is not there: for fewer offices than it was written for."""

    def here(text: str) -> bool:
        try:
            places.scope(text)
        except ScopeError:
            return False
        return True

    def fit(rules: Sequence[R]) -> tuple[R, ...]:
        whos = [(rule, tuple(text for text in rule.who if here(text))) for rule in rules]
        return tuple(msgspec.structs.replace(rule, who=who) for rule, who in whos if who)

    return msgspec.structs.replace(
        script,
        ends=tuple(end for end in script.ends if end.id in places.ends),
        offices=fit(script.offices),
        hours=fit(script.hours),
        faults=fit(script.faults),
    )


def _check(file: TomlFile, script: Script, places: Places | None) -> None:
    if not script.kinds or sum(kind.share for kind in script.kinds) <= 0:
        raise file.wrong(("kinds",), "no kind of line has a share", "give one [[kinds]] a share above 0")
    _check_unique(file, "kinds", [kind.id for kind in script.kinds])
    _check_unique(file, "ends", [end.id for end in script.ends])
    kinds = [kind.id for kind in script.kinds]
    for index, office in enumerate(script.offices):
        if office.kind not in kinds:
            problem = f'there is no kind of line "{office.kind}"'
            raise file.wrong(("offices", index, "kind"), problem, one_of(office.kind, kinds))
    for index, hours in enumerate(script.hours):
        _check_hours(file, index, hours)
    tables: dict[str, tuple[Hours | ScriptedFault, ...]] = {"hours": script.hours, "faults": script.faults}
    for name, rules in tables.items():
        for index, rule in enumerate(rules):
            if effect_of(rule).is_nothing:
                problem = f'"{rule.name}" does nothing'
                raise file.wrong((name, index), problem, "add what it does, as: loss_ratio = 0.02")
    if places is not None:
        _check_places(file, script, places)


def _check_times(file: TomlFile) -> None:
    """TOML has times of its own, so that one in quotes is a mistake that deserves its own words."""
    faults: Any = file.tables.get("faults")
    for index, fault in enumerate(faults if isinstance(faults, list) else ()):
        at = fault.get("at") if isinstance(fault, dict) else None
        if at is not None and not isinstance(at, dt.datetime):
            problem = f"faults {index + 1} at is no date and time"
            raise file.wrong(
                ("faults", index, "at"), problem, "write it without quotes, as 2026-12-01T10:50:00"
            )


def _check_unique(file: TomlFile, table: str, ids: Sequence[str]) -> None:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise file.wrong(
                (table, index, "id"), f'"{name}" stands twice in {table}', "rename or remove one"
            )


def _check_hours(file: TomlFile, index: int, hours: Hours) -> None:
    for key, text in (("from", hours.from_), ("until", hours.until)):
        if not _TIME.match(text):
            problem = f'{key} is "{text}", no time of day'
            raise file.wrong(("hours", index, key), problem, 'write hours and minutes, as "19:30"')
    if hours.from_ == hours.until:
        problem = f'"{hours.name}" ends when it begins'
        raise file.wrong(
            ("hours", index, "until"), problem, 'for the whole day write from = "00:00", until = "24:00"'
        )
    if 2 * hours.ramp_min > length_min(hours):
        problem = f"ramp_min is {hours.ramp_min:g}, but it lasts {length_min(hours)} minutes"
        raise file.wrong(("hours", index, "ramp_min"), problem, f"write at most {length_min(hours) / 2:g}")


def effect_of(rule: Effect) -> Effect:
    """What a rule does, without when and to whom."""
    return Effect(**{field: getattr(rule, field) for field in Effect.__struct_fields__})


def length_min(hours: Hours) -> int:
    """How long it lasts each time."""
    return (minute_of_day(hours.until) - minute_of_day(hours.from_)) % 1440 or 1440


def _check_places(file: TomlFile, script: Script, places: Places) -> None:
    for index, end in enumerate(script.ends):
        if end.id not in places.ends:
            problem = f'there is no headquarters "{end.id}"'
            raise file.wrong(("ends", index, "id"), problem, one_of(end.id, places.ends))
    tables: dict[str, tuple[Office | Hours | ScriptedFault, ...]] = {
        "offices": script.offices,
        "hours": script.hours,
        "faults": script.faults,
    }
    for name, rules in tables.items():
        for index, rule in enumerate(rules):
            for position, text in enumerate(rule.who):
                try:
                    places.scope(text)
                except ScopeError as error:
                    problem, _, remedy = str(error).partition("; ")
                    raise file.wrong((name, index, "who", position), problem, remedy) from None
