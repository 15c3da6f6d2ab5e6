"""Offices' clocks that are wrong, as commands tell of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from tatpar.terminal.json_time import rfc3339
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from config.config import Config
    from telemetry.state.clocks import WrongClock
    from telemetry.state.db import StateDb


def told_clocks(data_dir: Path, sites: Iterable[str], now_ns: int, language: str) -> list[WrongClock]:
    """Of these offices; none where nothing was decided yet, nor, after a line on standard error, where that cannot be read."""
    from telemetry.state.db import StateDb  # noqa: PLC0415 - keeps --help fast
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    if not (data_dir / STATE_FILE).exists():
        return []
    try:
        with contextlib.closing(StateDb(data_dir / STATE_FILE)) as state:
            return clocks_in(state, sites, now_ns)
    except StateError as error:
        click.echo(say(language, "clocks.unread", error=str(error)), err=True)
        return []


def clocks_in(state: StateDb, sites: Iterable[str], now_ns: int) -> list[WrongClock]:
    """The clocks of these offices that are wrong, or were until not long ago."""
    wanted = set(sites)
    return [one for one in state.told_clocks(now_ns) if one.site in wanted]


def clock_lines(config: Config, clocks: Sequence[WrongClock], language: str, zone: ZoneInfo) -> list[str]:
    """A line a clock, with what to do at the office."""
    from telemetry.words import say  # noqa: PLC0415

    lines = []
    for one in clocks:
        site = config.registry.by_id.get(one.site)
        lines.append(
            say(
                language,
                f"clocks.{one.how}",
                zone=zone,
                office=site.name(language) if site else one.site,
                probe=one.probe,
                off=one.off_s,
                since=one.since_ns,
                until=one.until_ns or 0,
            )
        )
    return lines


def clocks_as_json(clocks: Sequence[WrongClock]) -> list[dict[str, object]]:
    """The same for machines: how many seconds ahead (below 0: behind), since when, and until when if it is over."""
    return [
        {
            "site": one.site,
            "probe": one.probe,
            "ahead_s": one.ahead_ns / 1e9,
            "since": rfc3339(one.since_ns),
            **({} if one.until_ns is None else {"until": rfc3339(one.until_ns)}),
        }
        for one in clocks
    ]
