"""`tatpar flags`: degraded offices now, worst first."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import json_option, lang_option, settings_and_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.config import Config
    from telemetry.decisions import Flag, Incident


@click.command(epilog="Example: tatpar flags --lang en", short_help="degraded offices now, worst first")
@settings_and_data
@lang_option
@json_option
def command(*, config_file: Path | None, data_dir: Path, lang: str | None, as_json: bool) -> None:
    """Which lines are degraded now: why, how much, against what limit and what is usual, since when."""
    from analytics.flags import severity  # noqa: PLC0415
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.data_folder.clocks import clock_lines, clocks_as_json, clocks_in  # noqa: PLC0415
    from tatpar.data_folder.decided import decided, say_age, watch_age_s  # noqa: PLC0415
    from tatpar.terminal.json_time import as_json as text_of  # noqa: PLC0415
    from tatpar.terminal.json_time import readable, rfc3339  # noqa: PLC0415

    config, now_ns = load_config(config_file), time.time_ns()
    language = lang or config.settings.deployment.language
    with decided(data_dir, language) as state:
        flags = sorted(state.open_flags(), key=severity)
        incidents = state.open_incidents()
        clocks = clocks_in(state, config.registry.by_id, now_ns)
        age_s = watch_age_s(state, now_ns)
    if as_json:
        age = None if age_s is None else round(age_s, 1)
        click.echo(
            text_of(
                {
                    "as_of": rfc3339(now_ns),
                    "watch_age_s": age,
                    "incidents": [readable(each) for each in incidents],
                    "flags": [readable(f) for f in flags],
                    "wrong_clocks": clocks_as_json(clocks),
                }
            )
        )
        return
    say_age(age_s, data_dir, language)
    of_clocks = clock_lines(config, clocks, language, timezone_of(config.settings))
    for line in [*grouped(config, incidents, flags, language, now_ns), *of_clocks]:
        click.echo(line)


def grouped(
    config: Config, incidents: Sequence[Incident], flags: Sequence[Flag], language: str, now_ns: int
) -> list[str]:
    """The flags under the incident that explains them; what none explains at the end. `now_ns` says which day is today."""
    from tatpar.commands.incidents import lines  # noqa: PLC0415 - keeps --help fast

    out, left = [], list(flags)
    for each in incidents:
        out += lines(config, [each], language)
        mine = [flag for flag in left if flag.site in each.sites]
        left = [flag for flag in left if flag.site not in each.sites]
        out += [f"  {line}" for line in _lines(config, mine, language, now_ns)] if mine else []
    return out + (_lines(config, left, language, now_ns) if left or not out else [])


def _lines(config: Config, flags: Sequence[Flag], language: str, now_ns: int) -> list[str]:
    from config.settings_file import timezone_of  # noqa: PLC0415
    from tatpar.terminal.columns import table  # noqa: PLC0415
    from telemetry.words import say, say_reason  # noqa: PLC0415

    if not flags:
        return [say(language, "table.nothing_degraded")]
    zone = timezone_of(config.settings)
    ends = {id_: end.name(language) for id_, end in config.headquarters.items()}
    why = partial(say_reason, language, zone=zone, now_ns=now_ns, names=ends)
    head = [say(language, f"table.{name}") for name in ("office", "line", "limit", "usual", "why")]
    return table(head, [_row(config, flag, language, why(flag.reason)) for flag in flags])


def _row(config: Config, flag: Flag, language: str, why: str) -> list[str]:
    from telemetry.words import measure, say, say_office  # noqa: PLC0415

    reason = flag.reason

    def shown(value: float | None) -> str:
        return "–" if value is None else measure(language, value, reason.unit)

    word = "table.severe" if flag.severe else "table.as_usual" if flag.as_usual else ""
    severe = f" ({say(language, word)})" if word else ""
    return [
        say_office(language, config.registry, flag.site),
        _line(config, flag.path, language),
        shown(reason.limit),
        shown(reason.usual),
        why + severe,
    ]


def _line(config: Config, path: str, language: str) -> str:
    """The line by the headquarters at its end, as the wall has it; the uplink too where it is not the main one."""
    uplink, _, name = path.partition(".")
    end = config.headquarters.get(name)
    shown = path or "–"
    if end is not None:
        shown = end.name(language) if uplink == "main" else f"{end.name(language)} ({uplink})"
    return shown
