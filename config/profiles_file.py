"""`profiles.toml` read into call profiles: strictly, and explained by line when wrong."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from config.names import ID_RULE, is_id, suggested_id
from config.profiles import CallProfile, Limits
from config.settings_file import DEFAULTS
from config.toml_file import TomlFile

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PROFILES = DEFAULTS / "profiles.toml"

_RATIOS = ("loss_ratio", "burst_loss_ratio")
_AT_MOST = (*_RATIOS, "jitter_ms", "rtt_ms", "rtt_above_floor_ms")
_AT_LEAST = ("bitrate_up_bps", "bitrate_down_bps")
_RANGES = {
    **dict.fromkeys(_RATIOS, (1e-6, 1.0)),
    **dict.fromkeys(("jitter_ms", "rtt_ms", "rtt_above_floor_ms"), (0.001, 60_000.0)),
    **dict.fromkeys(_AT_LEAST, (1.0, 1e12)),
}
"""What can be measured at all; a limit outside of it is a slip of the pen."""


class _Profiles(Struct, frozen=True, forbid_unknown_fields=True):
    profile: tuple[CallProfile, ...] = ()


def read_profiles(path: Path) -> dict[str, CallProfile]:
    """The built-in profiles with the file's laid over them by id, in the order of ladder and rank.

    Raises:
        ConfigError: with the line, for any mistake in the file.
    """
    built_in = {} if path == DEFAULT_PROFILES else _built_in()
    file = TomlFile(path)
    own = file.convert(file.tables, _Profiles).profile
    for index, profile in enumerate(own):
        _check(file, index, profile)
    _check_unique(file, own)
    merged = built_in | {profile.id: profile for profile in own}
    _check_ranks(file, own, merged)
    ordered = sorted(
        merged.values(), key=lambda profile: (profile.ladder != "", profile.ladder, profile.rank)
    )
    return {profile.id: profile for profile in ordered}


@cache
def _built_in() -> dict[str, CallProfile]:
    return read_profiles(DEFAULT_PROFILES)


def _check(file: TomlFile, index: int, profile: CallProfile) -> None:
    at = ("profile", index)
    for key, name in (("id", profile.id), ("ladder", profile.ladder)):
        if not is_id(name) and (name or key == "id"):
            raise file.wrong(
                (*at, key), f'{key} "{name}" is not made of {ID_RULE}', f'write "{suggested_id(name)}"'
            )
    for key in ("name_en", "name_hi", "source"):
        if not getattr(profile, key).strip():
            raise file.wrong(
                (*at, key),
                f"profile {profile.id} has an empty {key}",
                "write where its limits come from" if key == "source" else "write its name",
            )
    for table, limits in (("target", profile.target), ("alarm", profile.alarm)):
        _check_limits(file, (*at, table), profile.id, limits)
    _check_order(file, index, profile)


def _check_limits(file: TomlFile, at: tuple[str | int, ...], name: str, limits: Limits) -> None:
    for key in (*_AT_MOST, *_AT_LEAST):
        value = getattr(limits, key)
        if value is None:
            continue
        if key in _RATIOS and 1 < value <= 100:
            raise file.wrong(
                (*at, key),
                f"{name}: {at[-1]} {key} is {value:_.10g}",
                f"write a ratio of at most 1, as {value / 100:_.10g} for {value:_.10g} %",
            )
        least, most = _RANGES[key]
        if not least <= value <= most:
            raise file.wrong(
                (*at, key),
                f"{name}: {at[-1]} {key} is {value:_.10g}",
                f"write a number from {least:,.13g} to {most:,.13g}, or leave the key out",
            )


def _check_order(file: TomlFile, index: int, profile: CallProfile) -> None:
    """An alarm that rings before the target is missed would be a mistake."""
    for key in (*_AT_MOST, *_AT_LEAST):
        target, alarm = getattr(profile.target, key), getattr(profile.alarm, key)
        if target is None or alarm is None:
            continue
        stricter = alarm < target if key in _AT_MOST else alarm > target
        if stricter:
            bound = "at least" if key in _AT_MOST else "at most"
            problem = (
                f"{profile.id}: the alarm {key} {alarm:_.10g} is stricter than the target {target:_.10g}"
            )
            raise file.wrong(("profile", index, "alarm", key), problem, f"write {bound} {target:_.10g}")


def _check_unique(file: TomlFile, own: tuple[CallProfile, ...]) -> None:
    seen: set[str] = set()
    for index, profile in enumerate(own):
        if profile.id in seen:
            raise file.wrong(
                ("profile", index, "id"),
                f'the id "{profile.id}" stands twice',
                "give this profile another id",
            )
        seen.add(profile.id)


def _check_ranks(file: TomlFile, own: tuple[CallProfile, ...], merged: dict[str, CallProfile]) -> None:
    rungs: dict[tuple[str, int], str] = {}
    mine = {profile.id: index for index, profile in enumerate(own)}
    for profile in sorted(merged.values(), key=lambda profile: mine.get(profile.id, -1)):
        if not profile.ladder:
            continue
        taken = rungs.setdefault((profile.ladder, profile.rank), profile.id)
        if taken != profile.id:
            at = ("profile", mine[profile.id], "rank")
            problem = f"{profile.id} has rank {profile.rank} of the ladder {profile.ladder}, which {taken} has already"
            raise file.wrong(at, problem, "give it a rank of its own")
