"""`tatpar lab`: break and heal lines of the running emulated fleet, look at it, give it a past."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tatpar.terminal.amiss import still_beginning
from tatpar.terminal.duration import Duration
from tatpar.terminal.options import (
    FiniteRange,
    config_language,
    data_option,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    unused_config_option,
    wrong_input,
)
from tatpar.terminal.screen import ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.running.control import Answer, Request, ShownFault

A = TypeVar("A")
_RATIO: Final = FiniteRange(0.0, 1.0)
_MS: Final = FiniteRange(0.0, 10_000.0)


@click.group()
def command() -> None:
    """The emulated fleet: break and heal its lines, look at it, give it a past.

    The fleet itself runs in `tatpar up --lab`.

    Example: tatpar lab break gorakhpur --loss 0.05 --direction up
    """


@command.command("break")
@click.argument("scope", metavar="SITE")
@click.option("--loss", type=_RATIO, help="Share of packets lost, 0 to 1, in each direction named.")
@click.option(
    "--burst", type=_MS, metavar="MS", help="Mean length of a burst of losses; 0: independent losses."
)
@click.option("--direction", type=click.Choice(["up", "down", "both"]), default="both", show_default=True)
@click.option("--delay", type=_MS, metavar="MS", help="More delay in each direction named.")
@click.option("--jitter", type=_MS, metavar="MS", help="More RFC 3550 jitter in each direction named.")
@click.option("--duplicate", type=_RATIO, help="Share of packets that arrive twice.")
@click.option("--reorder", type=_RATIO, help="Share of packets that the next one overtakes.")
@click.option("--rate", type=FiniteRange(0.001, 1e6), metavar="MBIT", help="A bottleneck of so many Mbit/s.")
@click.option("--queue", type=FiniteRange(1.0, 10_000.0), metavar="MS", help="Length of its queue.")
@click.option("--outage", is_flag=True, help="Nothing passes.")
@click.option("--for", "for_s", type=Duration(), help="Heal by itself after so long: 90s, 5m, 2h.")
@settings_and_data
@lang_option
@json_option
def break_(  # noqa: PLR0913, PLR0917 - one an option
    scope: str,
    for_s: float | None,
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
    **what: Any,  # noqa: ANN401
) -> None:
    """Break lines of the running fleet.

    SITE is an office's id, or provider:NAME, region:NAME, end:NAME, all. What it names is added to what the line does
    already; breaking the same SITE and direction again changes the figures that are named.

    Example: tatpar lab break saharanpur --loss 0.05 --direction up

    Example: tatpar lab break provider:provider-b --outage --for 5m
    """
    from lab.running.control import Break, Broken  # noqa: PLC0415 - keeps --help fast
    from lab.running.effect import Effect  # noqa: PLC0415

    effect = Effect(
        direction=what["direction"],
        loss_ratio=what["loss"],
        loss_burst_ms=what["burst"],
        delay_ms=what["delay"],
        jitter_ms=what["jitter"],
        duplicate_ratio=what["duplicate"],
        reorder_ratio=what["reorder"],
        rate_mbps=what["rate"],
        queue_ms=what["queue"],
        outage=what["outage"],
    )
    if effect.is_nothing:
        wrong_input("nothing to break; say what, as: --loss 0.05 (all: tatpar lab break --help)")
    language = lang or config_language(config_file)
    answer = _ask(data_dir, Break(scope=scope, effect=effect, for_s=for_s), Broken, language)
    what_broke = _sentence(answer.fault, language)
    _print(answer, as_json, _say(language, "broken", fault=what_broke, n=answer.offices))


@command.command("heal")
@click.argument("scope", metavar="[SITE]", required=False)
@click.option("--all", "everything", is_flag=True, help="Everything that was broken by hand (the default).")
@settings_and_data
@lang_option
@json_option
def heal(  # noqa: PLR0913, PLR0917 - one an option
    scope: str | None,
    everything: bool,  # noqa: FBT001
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Heal what was broken by hand: on SITE, or everything.

    Example: tatpar lab heal saharanpur
    """
    from lab.running.control import Heal, Healed  # noqa: PLC0415

    if scope is not None and everything:
        wrong_input(f"`{scope}` and --all exclude each other; write one of them")
    language = lang or config_language(config_file)
    answer = _ask(data_dir, Heal(scope=scope), Healed, language)
    lines = [_say(language, "healed", fault=_sentence(fault, language)) for fault in answer.healed]
    if answer.rooms:
        lines.append(_say(language, "switched_on", offices=", ".join(answer.rooms)))
    lines = lines or [_say(language, "nothing_broken_there")]
    lines += [
        _say(language, "still_there", fault=_sentence(fault, language), scope=fault.scope)
        for fault in answer.left
    ]
    _print(answer, as_json, *lines)


@command.command("room")
@click.argument("scope", metavar="SITE")
@click.option("--on/--off", "on", default=None, help="What the device is to be.")
@settings_and_data
@lang_option
@json_option
def room(  # noqa: PLR0913, PLR0917 - one an option
    scope: str,
    on: bool | None,  # noqa: FBT001
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Switch the room's device of an office off, or on again: its line stays perfect, and it cannot join.

    SITE as with break. An office asks its device once a minute; it counts from half an hour before a meeting.

    Example: tatpar lab room agra --off
    """
    from lab.running.control import Room, Switched  # noqa: PLC0415

    if on is None:
        wrong_input("say what the device is to be: --off, or --on")
    language = lang or config_language(config_file)
    answer = _ask(data_dir, Room(scope=scope, on=on), Switched, language)
    off = ", ".join(answer.off) or _say(language, "none")
    _print(answer, as_json, _say(language, f"room_{'on' if on else 'off'}", n=answer.offices, off=off))


@command.command("status")
@settings_and_data
@lang_option
@json_option
def status(
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """What is broken, what the script does now, and how well the relay keeps its times.

    Example: tatpar lab status
    """
    from lab.running.control import LabStatus, Status  # noqa: PLC0415

    language = lang or config_language(config_file)
    answer = _ask(data_dir, Status(), LabStatus, language)
    lines = [_say(language, "status_offices", n=answer.offices, ends=_and(language, answer.ends))]
    lines += [
        _say(language, "status_by_hand", fault=_sentence(fault, language)) for fault in answer.by_hand
    ] or [_say(language, "status_nothing")]
    lines += [
        _say(language, "status_script", name=fault.name, fault=_sentence(fault, language))
        for fault in answer.scripted
    ]
    late = ", ".join(f"{name} {value:.0f} µs" for name, value in answer.late_us.items())
    lines.append(
        _say(language, "status_packets", packets=answer.packets, lost=answer.lost, unsent=answer.unsent)
    )
    if answer.rooms_off:
        lines.append(_say(language, "status_rooms", offices=", ".join(answer.rooms_off)))
    if late:
        lines.append(_say(language, "status_late", late=late))
    _print(answer, as_json, *lines)


@command.command("history")
@click.option(
    "--works",
    "works_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=None,
    help="Also write what was announced beforehand into this works.csv.",
)
@click.option("--weeks", type=FiniteRange(0.01, 104.0), default=4.0, show_default=True, help="How far back.")
@click.option("--seed", type=int, default=None, help="Another past; without it the seed of the settings.")
@settings_and_data
@lang_option
@json_option
def history(  # noqa: PLR0913, PLR0917 - what click hands over
    works_file: Path | None,
    weeks: float,
    seed: int | None,
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Give the linked offices a plausible past, marked as emulated.

    Five-minute roll-ups for so many weeks, and 15 s windows for the last two days, of the same lines as the running lab's.
    What was measured is never touched; run again, it adds only what is missing.

    Example: tatpar lab history --weeks 4
    Example: tatpar lab history --weeks 12 --works works.csv
    """
    import msgspec  # noqa: PLC0415 - keeps --help fast

    from config.load import load_config  # noqa: PLC0415
    from lab.past.history import Written, give_past, past_of  # noqa: PLC0415
    from lab.past.works import works_csv  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    count = sum(1 for _ in config.registry.linked())
    if not count:
        wrong_input(f"{config.sources.sites}: no office is linked; write linked in the column status of one")
    plan = past_of(config, weeks=weeks, seed=seed)
    total = Written("", 0, 0)
    with click.progressbar(length=count, label=say(language, "progress.offices"), file=ours()) as bar:

        def progress(written: Written) -> None:
            nonlocal total
            total = Written("", total.rollups + written.rollups, total.windows + written.windows)
            bar.update(1)

        try:
            give_past(plan, config.settings.store, data_dir, progress)
        except StoreError as error:
            failed(str(error))
    if works_file is not None:
        try:
            works_file.write_text(works_csv(plan), encoding="utf-8")
        except OSError as error:
            failed(f"{works_file}: {error.strerror}")
    if as_json:
        answer = {"offices": count, "rollups": total.rollups, "windows": total.windows}
        click.echo(msgspec.json.encode(answer).decode())
    elif total.rollups or total.windows:
        added = _say(language, "history_added", n=count, rollups=total.rollups, windows=total.windows)
        click.echo(added)
    else:
        click.echo(_say(language, "history_whole", n=count))


@command.command("truth")
@click.argument("site")
@click.argument("end")
@click.option(
    "--last", "last_s", type=Duration(), default="5m", show_default=True, help="How far back: 90s, 5m."
)
@unused_config_option
@data_option
@json_option
def truth(site: str, end: str, last_s: float, data_dir: Path, as_json: bool) -> None:  # noqa: FBT001
    """What the line of an office to an end really did, from the truth log (a fleet that keeps one).

    Example: tatpar lab truth saharanpur state --last 2m
    """
    import time  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from lab.errors import LabError  # noqa: PLC0415
    from lab.line.truth_reader import read_truth  # noqa: PLC0415
    from lab.line.truth_table import summary  # noqa: PLC0415

    try:
        line = read_truth(data_dir / "truth").line(site, end)
    except LabError as error:
        wrong_input(str(error))
    now_ns = time.time_ns()
    figures = summary(line.between(now_ns - round(last_s * 1e9), now_ns))
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
        return
    for name, value in figures.items():
        click.echo(f"{name:22} {value:g}" if isinstance(value, float) else f"{name:22} {value}")


def _ask(data_dir: Path, request: Request, kind: type[A], language: str) -> A:
    """Ask the running fleet; no fleet ends with 1, a wrong request with 2, each with its one line."""
    from lab.errors import LabError, NoFleetError, RefusedError  # noqa: PLC0415
    from lab.running.control import ask  # noqa: PLC0415

    try:
        return ask(data_dir, request, kind)  # type: ignore[type-var]
    except RefusedError as error:
        wrong_input(str(error))
    except NoFleetError as error:
        failed(still_beginning(data_dir, language) or str(error))
    except LabError as error:
        failed(str(error))


def _print(answer: Answer, as_json: bool, *lines: str) -> None:  # noqa: FBT001
    import msgspec  # noqa: PLC0415

    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
        return
    for line in lines:
        click.echo(line)


def _say(language: str, key: str, **values: Any) -> str:  # noqa: ANN401 - as `say` takes them
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    return say(language, f"lab.{key}", **values)


def _and(language: str, names: Sequence[str]) -> str:
    """`a and b`."""
    return functools.reduce(lambda one, two: _say(language, "and", one=one, two=two), names)


def _sentence(fault: ShownFault, language: str) -> str:
    """A fault in one line."""
    from telemetry.words.format import exact_percent  # noqa: PLC0415 - keeps --help fast

    effect = fault.effect
    parts = [_say(language, "outage")] if effect.outage else []
    figures = (
        ("loss", effect.loss_ratio, None),
        ("bursts", effect.loss_burst_ms, "{:g} ms"),
        ("delay", effect.delay_ms, "+{:g} ms"),
        ("jitter", effect.jitter_ms, "+{:g} ms"),
        ("duplicates", effect.duplicate_ratio, None),
        ("reordered", effect.reorder_ratio, None),
        ("rate", effect.rate_mbps, "{:g} Mbit/s"),
        ("queue", effect.queue_ms, "{:g} ms"),
    )
    parts += [
        _say(language, name, value=exact_percent(language, value) if form is None else form.format(value))
        for name, value, form in figures
        if value is not None
    ]
    way = "" if effect.direction == "both" else f" ({_say(language, effect.direction)})"
    strength = (
        ""
        if fault.strength >= 1
        else _say(language, "strength", share=exact_percent(language, round(fault.strength, 2)))
    )
    return f"{fault.scope}{way}: {', '.join([*parts, *([strength] if strength else [])])}"
